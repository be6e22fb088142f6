"""How fast a session is."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

_SPAN_S = 2.0  # that frames per second are counted over
_LATENCIES = 90


@dataclass(frozen=True, slots=True)
class LiveStats:
    """How fast a session is.

    Attributes:
        frames_per_s: analysed over the last two seconds; 0 before there are two frames.
        latency_s: from the arrival of a frame to its labels, median of the last ninety; 0 before the first.
        analysed: frames since the start.
        dropped: frames since the start that a newer one replaced before they were looked at.
    """

    frames_per_s: float = 0.0
    latency_s: float = 0.0
    analysed: int = 0
    dropped: int = 0


class Meter:
    """Counts the frames of a session; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: deque[float] = deque()
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._analysed = self._dropped = 0

    def drop(self) -> None:
        """Count a frame that was not looked at."""
        with self._lock:
            self._dropped += 1

    def count(self, now_s: float, latency_s: float) -> LiveStats:
        """Count a frame that was analysed, and return how fast it goes."""
        with self._lock:
            self._analysed += 1
            self._latencies.append(latency_s)
            self._times.append(now_s)
            while now_s - self._times[0] > _SPAN_S:
                self._times.popleft()
        return self.stats()

    def stats(self) -> LiveStats:
        """Return how fast it goes."""
        with self._lock:
            spanned = self._times[-1] - self._times[0] if self._times else 0.0
            rate = (len(self._times) - 1) / spanned if spanned > 0 else 0.0
            latency = float(np.median(self._latencies)) if self._latencies else 0.0
            return LiveStats(rate, latency, self._analysed, self._dropped)

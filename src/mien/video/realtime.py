"""A film in the place of a camera: its frames when they are due, and not those that are late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from mien.core.video_options import DEFAULT_RATE
from mien.video.frames import Damage, Frame, Source, SourceInfo

_LATE_FRAMES = 1.0  # in distances between frames, that one may be late and is still shown
_LONGEST_S = 0.5  # without a picture; then one is shown however late it is


class LiveSource(Source, Protocol):
    """A source of live pictures: whoever waits for the next one can be interrupted."""

    def listen(self, tell: Callable[[str], object]) -> None:
        """Have `tell` called with what a person should know meanwhile: a camera is gone, or back."""

    def interrupt(self) -> None:
        """End the frames soon; may be called from any thread."""


class Realtime:
    """A film or folder of frames played in real time by its timestamps; it takes over the source.

    A frame that is late by more than one frame's time is left out, as a camera's would be, but where
    decoding is too slow for real time two frames a second are shown at least.

    Args:
        source: of the frames.
        clock: seconds that only grow.
        wait: waits for so many seconds, or less where `interrupt` was called.
    """

    def __init__(
        self,
        source: Source,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._allowed_s = _LATE_FRAMES / (source.info.rate or DEFAULT_RATE)
        self.dropped = 0

    @property
    def info(self) -> SourceInfo:
        """What is known before the frames."""
        return self._source.info

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What could not be decoded so far."""
        return self._source.damage

    def listen(self, tell: Callable[[str], object]) -> None:
        """There is nothing to tell: a film does not go away."""

    def interrupt(self) -> None:
        """End the frames soon; may be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Close the source; for the thread that iterates."""
        self._stopped.set()
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        began: float | None = None
        shown = 0.0
        for frame in self._source:
            now = self._clock()
            if began is None:
                began = now - frame.time_s
            early = began + frame.time_s - now
            if early > 0:
                self._wait(early)
                now = self._clock()
            if self._stopped.is_set():
                return
            if -early > self._allowed_s and now - shown < _LONGEST_S:
                self.dropped += 1
                continue
            shown = now
            yield frame

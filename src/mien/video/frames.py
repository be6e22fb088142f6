"""What every source of moving pictures gives: frames, and what is known before the first of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.film import Damage, SourceInfo
from mien.core.video_options import VideoOptions

__all__ = ["Choice", "Damage", "Frame", "Source", "SourceInfo", "shrunk"]


class Frame:
    """One picture of a film.

    Args:
        index: of the frame in its source, from 0; frames that are left out count as well.
        time_s: when it is shown, in seconds from the start of the source, as its own clock says.
        pixels: uint8 (H, W, 3) RGB, upright.
    """

    __slots__ = ("_pixels", "index", "time_s")

    def __init__(self, index: int, time_s: float, pixels: NDArray[np.uint8] | None) -> None:
        self.index = index
        self.time_s = time_s
        self._pixels = pixels

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture, uint8 (H, W, 3) RGB, upright."""
        assert self._pixels is not None
        return self._pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, in pixels."""
        height, width = self.pixels.shape[:2]
        return width, height

    def grey(self, side: int) -> NDArray[np.uint8]:
        """Return the picture in grey, uint8 (H, W), its longer side at most `side` pixels."""
        return np.asarray(cv2.cvtColor(shrunk(self.pixels, side), cv2.COLOR_RGB2GRAY), np.uint8)


def shrunk(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture, uint8 (H, W) or (H, W, 3), with its longer side at most `side` pixels.

    Pixels are skipped, not averaged: right for measuring motion, in a third of the time.
    """
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


class Source(Protocol):
    """Moving pictures from anywhere: iterate once, then close."""

    @property
    def info(self) -> SourceInfo:
        """What is known before the frames."""

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What was lost so far."""

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames that were chosen, in the order of time."""

    def close(self) -> None:
        """Let go of the file or device."""


class Choice:
    """Which frames are read: a stretch of the film, and every Nth or so many a second."""

    def __init__(self, options: VideoOptions) -> None:
        self.start_s = options.start
        self.end_s = options.end
        self._every = options.every
        self._interval = None if options.fps is None else 1 / options.fps
        self._due = 0.0
        self._first: int | None = None

    def takes(self, index: int, time_s: float) -> bool:
        """Tell whether a frame is wanted; to be asked of every frame, in order."""
        if time_s < self.start_s or self.is_past(time_s):
            return False
        if self._interval is not None:
            return self._takes_at(time_s)
        if self._first is None:
            self._first = index
        return (index - self._first) % self._every == 0

    def is_past(self, time_s: float) -> bool:
        """Tell whether no later frame is wanted."""
        return self.end_s is not None and time_s >= self.end_s

    def _takes_at(self, time_s: float) -> bool:
        """The frame nearest after each tick; a stretch without frames gives no burst afterwards."""
        assert self._interval is not None
        since = time_s - self.start_s
        # Half a millisecond: timestamps are rounded, often to whole milliseconds.
        if since + 5e-4 < self._due:
            return False
        self._due = (since + 5e-4) // self._interval * self._interval + self._interval
        return True

"""A camera without hardware: what OpenCV would give, from a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from film_support import picture
from numpy.typing import NDArray


class FakeCapture:
    """Stands where `cv2.VideoCapture` does; `None` in its pictures is a pulled plug."""

    def __init__(self, pictures: Iterable[NDArray[np.uint8] | None], *, is_open: bool = True) -> None:
        self._pictures: Iterator[NDArray[np.uint8] | None] = iter(pictures)
        self._is_open = is_open
        self.asked: dict[int, float] = {}
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802
        return self._is_open

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        pixels = next(self._pictures, None)
        return pixels is not None, pixels

    def get(self, which: int) -> float:
        return 30.0 if which == cv2.CAP_PROP_FPS else 0.0

    def set(self, which: int, value: float) -> bool:
        self.asked[which] = value
        return True

    def release(self) -> None:
        self.released = True


class Plugs:
    """Gives one capture after the other, each time a camera is opened."""

    def __init__(self, *captures: FakeCapture) -> None:
        self.left = list(captures)
        self.numbers: list[int] = []

    def __call__(self, number: int) -> FakeCapture:
        self.numbers.append(number)
        return self.left.pop(0) if self.left else FakeCapture([], is_open=False)


class Clock:
    """Seconds that pass only by waiting, and a little with each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        self._step = step

    def __call__(self) -> float:
        self.now += self._step
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def bgr(number: int) -> NDArray[np.uint8]:
    """A numbered picture as OpenCV gives it."""
    return np.ascontiguousarray(picture(number)[..., ::-1])

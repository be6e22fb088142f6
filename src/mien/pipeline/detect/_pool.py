"""OpenCV's detectors keep state while they run, so each call takes one for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """Hands out idle objects and makes one where none is idle: as many as calls ever ran at once."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: list[T] = [make()]

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """Lend an object to the `with` block."""
        try:
            item = self._idle.pop()  # list.pop and append are atomic
        except IndexError:
            item = self._make()
        try:
            yield item
        finally:
            self._idle.append(item)

"""An iterator that runs ahead in a thread of its own, a bounded number of steps."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

_T = TypeVar("_T")

_PATIENCE_S = 0.1


class Ahead(Generic[_T]):
    """Makes items ready while earlier ones are worked on; iterate once, then close.

    Errors reach whoever iterates, in their place.

    Args:
        items: iterated in the thread.
        most: items that wait.
        name: of the thread.
    """

    def __init__(self, items: Iterable[_T], most: int, name: str) -> None:
        self._items = items
        self._queue: Queue[tuple[_T] | BaseException | None] = Queue(most)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = False

    def __iter__(self) -> Iterator[_T]:
        self._started = True
        self._thread.start()
        while not self._stopped.is_set():
            try:
                item = self._queue.get(timeout=_PATIENCE_S)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    def close(self) -> None:
        """Stop, and wait until the thread has ended."""
        self._stopped.set()
        while self._started and self._thread.is_alive():
            try:
                self._queue.get(timeout=_PATIENCE_S)
            except Empty:
                continue

    def _run(self) -> None:
        try:
            for item in self._items:
                self._put((item,))
                if self._stopped.is_set():
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: tuple[_T] | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                return self._queue.put(item, timeout=_PATIENCE_S)
            except Full:
                continue

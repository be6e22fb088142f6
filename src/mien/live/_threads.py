"""What passes between the threads of a session: the newest thing only, or work to do beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Full, Queue
from typing import Generic, TypeVar

_Thing = TypeVar("_Thing")


class Newest(Generic[_Thing]):
    """Room for one thing: who puts a new one replaces the old one, and nobody waits to put."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thing: _Thing | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Nothing comes any more; what is still there can be taken."""
        return self._closed

    def put(self, thing: _Thing) -> bool:
        """Put a thing; tell whether one was replaced that nobody had taken."""
        with self._changed:
            replaced = self._thing is not None
            if not self._closed:
                self._thing = thing
                self._changed.notify_all()
            return replaced

    def take(self, timeout: float | None = None) -> _Thing | None:
        """Take the newest thing, waiting for one; None after `timeout` seconds, or at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._thing is not None or self._closed, timeout)
            thing, self._thing = self._thing, None
            return thing

    def close(self, *, discard: bool = False) -> None:
        """Say that nothing comes any more; `discard` what is there."""
        with self._changed:
            self._closed = True
            if discard:
                self._thing = None
            self._changed.notify_all()


class Background:
    """A thread for work that may take longer than a frame, such as writing files.

    Args:
        name: of the thread.
        on_error: told of what a task raised.
        most: tasks that wait; more are refused.
    """

    def __init__(self, name: str, on_error: Callable[[Exception], None], most: int = 16) -> None:
        self._tasks: Queue[Callable[[], None] | None] = Queue(most)
        self._on_error = on_error
        self._name = name
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, task: Callable[[], None]) -> bool:
        """Do `task` soon; False where too many wait already, or after `close`."""
        with self._lock:
            if self._closed:
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            try:
                self._tasks.put_nowait(task)
            except Full:
                return False
            return True

    def close(self) -> None:
        """Finish what waits, and end the thread."""
        with self._lock:
            first, self._closed = not self._closed, True
        if self._thread is None:
            return
        if first:
            self._tasks.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception as error:
                self._on_error(error)

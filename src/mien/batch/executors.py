"""How the work is spread: in this process, or over a pool of processes that may die."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from mien.batch.items import Item
from mien.core.errors import MienError
from mien.core.files import shown

if TYPE_CHECKING:
    from mien.core.results import ImageAnalysis

Analyse = Callable[[Sequence[Item]], "list[ImageAnalysis | MienError]"]


class Worker(Protocol):
    """Knows how to get ready for work in a process. Has to be picklable for a process pool."""

    def open(self) -> AbstractContextManager[Analyse]:
        """Load what is needed once, and give the function that gets one result or error for each item.

        An error of an item is returned, not raised. What the function or `open` raises ends the run.
        """
        ...


class Executor(Protocol):
    """Takes batches of items; `window` says how many may wait or be worked on at once."""

    window: int

    def submit(self, items: Sequence[Item]) -> Future[list[ImageAnalysis | MienError]]:
        """Begin a batch."""
        ...

    def recover(self, items: Sequence[Item]) -> Iterator[ImageAnalysis | MienError]:
        """Do again, one by one, a batch whose future raised BrokenProcessPool."""
        ...


class SerialExecutor:
    """Does every batch at once, in this process and thread."""

    window = 1

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._analyse = self._stack.enter_context(self._worker.open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def submit(self, items: Sequence[Item]) -> Future[list[ImageAnalysis | MienError]]:
        """Return a finished future."""
        future: Future[list[ImageAnalysis | MienError]] = Future()
        future.set_result(self._analyse(items))
        return future

    def recover(self, items: Sequence[Item]) -> Iterator[ImageAnalysis | MienError]:
        """Never needed: there is no process that could die alone."""
        yield from self._analyse(items)


class ProcessExecutor:
    """A pool of processes started afresh (spawn), one worker in each.

    When a process dies (killed, out of memory, a crash inside a library) the pool is replaced and every
    item that was under way is done again, one at a time; an item that kills its process a second time
    gets an error. Processes that cannot even start end the run.
    """

    def __init__(self, worker: Worker, jobs: int) -> None:
        self._worker = worker
        self._jobs = jobs
        self.window = 2 * jobs

    def __enter__(self) -> Self:
        self._pool = self._new_pool(self._jobs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, items: Sequence[Item]) -> Future[list[ImageAnalysis | MienError]]:
        """Hand a batch to the pool, to a new one where the last is broken."""
        try:
            return self._pool.submit(_work, list(items))
        except BrokenProcessPool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = self._new_pool(self._jobs)
            return self._pool.submit(_work, list(items))

    def recover(self, items: Sequence[Item]) -> Iterator[ImageAnalysis | MienError]:
        """Do `items` again, each alone in a process of its own pool, so that no other takes the blame."""
        pool = self._new_pool(1)
        try:
            for item in items:
                try:
                    pool.submit(_ready).result()
                except BrokenProcessPool:
                    raise MienError(
                        "worker processes end before they begin, perhaps for want of memory; use fewer jobs"
                    ) from None
                try:
                    yield pool.submit(_work, [item]).result()[0]
                except BrokenProcessPool:
                    pool.shutdown(wait=True, cancel_futures=True)
                    pool = self._new_pool(1)
                    yield MienError(
                        f"{shown(item.name)} ended the process that read it, twice; "
                        "it may be damaged or too large for the memory, so check it or leave it out"
                    )
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _new_pool(self, jobs: int) -> ProcessPoolExecutor:
        import multiprocessing

        return ProcessPoolExecutor(
            max_workers=jobs,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(self._worker,),
        )


_worker: Worker | None = None
_analyse: Analyse | None = None
_resources = ExitStack()


def _start(worker: Worker) -> None:
    """Keep the worker for later: an error in here would look like a dead process."""
    import multiprocessing
    import signal
    import threading

    global _worker
    _worker = worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    parent = multiprocessing.parent_process()

    def leave_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    # A pool's processes wait for work for ever when their parent is killed.
    threading.Thread(target=leave_with_parent, daemon=True).start()


def _ready() -> None:
    global _analyse
    if _analyse is None:
        assert _worker is not None
        _analyse = _resources.enter_context(_worker.open())


def _work(items: list[Item]) -> list[ImageAnalysis | MienError]:
    _ready()
    assert _analyse is not None
    return _analyse(items)

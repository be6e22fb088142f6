"""Items in, outcomes out: in order, a few at a time, whatever happens to single ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mien.batch.executors import Executor, ProcessExecutor, SerialExecutor, Worker
from mien.batch.items import Item, Outcome
from mien.batch.ledger import Ledger
from mien.core.errors import MienError, OptionError
from mien.core.machine import processors

if TYPE_CHECKING:
    from mien.core.results import ImageAnalysis

EXECUTORS: tuple[str, ...] = ("serial", "processes")
Progress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]

# How long a cancelled run may go unnoticed while a process works, in seconds.
_PATIENCE = 0.1


@dataclass(frozen=True, slots=True)
class _Ready:
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _UnderWay:
    items: Sequence[Item]
    future: Future[list[ImageAnalysis | MienError]]


class _CancelledError(Exception):
    pass


def run(
    items: Sequence[Item],
    worker: Worker,
    *,
    executor: str = "serial",
    jobs: int = 1,
    batch_size: int = 8,
    ledger: Ledger | None = None,
    progress: Progress | None = None,
    is_cancelled: IsCancelled | None = None,
) -> Generator[Outcome, None, None]:
    """Yield one outcome for every item, in the order of `items`.

    An item that fails gives an outcome with its error and stops nothing. Only a few batches are held at
    a time, so memory does not grow with the number of items. What `ledger` has is not done again; what
    gets done is in it before it is yielded.

    Args:
        items: from `plan`.
        worker: such as `PhotoWorker`.
        executor: "serial" (this process) or "processes" (a pool; survives the death of a process).
        jobs: processes of the pool; 0 takes one for every processor.
        batch_size: most items handed over at once.
        ledger: what is done already.
        progress: called with (done, total) after every outcome.
        is_cancelled: asked often; once it says yes the run ends early, without an error.

    Raises:
        OptionError: an unknown executor or a number out of range.
        MienError: the work cannot go on at all: no model, no room for results, no processes.
    """
    if executor not in EXECUTORS:
        raise OptionError(f"unknown executor {executor!r}; choose one of {', '.join(EXECUTORS)}")
    if jobs < 0 or batch_size < 1:
        raise OptionError(f"jobs has to be at least 0 and batch_size at least 1, not {jobs} and {batch_size}")
    return _outcomes(
        list(items), worker, executor, jobs or processors(), batch_size, ledger, progress, is_cancelled
    )


def _outcomes(
    items: list[Item],
    worker: Worker,
    executor: str,
    jobs: int,
    batch_size: int,
    ledger: Ledger | None,
    progress: Progress | None,
    is_cancelled: IsCancelled | None,
) -> Generator[Outcome, None, None]:
    cancelled = is_cancelled or _never
    done = 0
    with _open(executor, worker, jobs) as pool:
        size = max(1, min(batch_size, -(-len(items) // (2 * jobs))))
        waiting: deque[_Ready | _UnderWay] = deque()
        parts = _parts(items, size, ledger)
        try:
            while _fill(waiting, parts, pool, cancelled):
                for outcome in _finish(waiting.popleft(), pool, cancelled):
                    if ledger is not None and outcome.analysis is not None and not outcome.repeated:
                        ledger.add(outcome.item, outcome.analysis)
                    done += 1
                    if progress is not None:
                        progress(done, len(items))
                    yield outcome
        except _CancelledError:
            return


def _never() -> bool:
    return False


def _open(executor: str, worker: Worker, jobs: int) -> SerialExecutor | ProcessExecutor:
    return SerialExecutor(worker) if executor == "serial" else ProcessExecutor(worker, jobs)


def _parts(items: Sequence[Item], size: int, ledger: Ledger | None) -> Iterator[Outcome | list[Item]]:
    """Split into what is settled already and batches of what is to be done, in order."""
    batch: list[Item] = []
    for item in items:
        settled = _settled(item, ledger)
        if settled is None:
            batch.append(item)
        if batch and (settled is not None or len(batch) == size):
            yield batch
            batch = []
        if settled is not None:
            yield settled
    if batch:
        yield batch


def _settled(item: Item, ledger: Ledger | None) -> Outcome | None:
    if item.error is not None:
        return Outcome(item, error=item.error)
    analysis = None if ledger is None else ledger.find(item)
    return None if analysis is None else Outcome(item, analysis, repeated=True)


def _fill(
    waiting: deque[_Ready | _UnderWay],
    parts: Iterator[Outcome | list[Item]],
    pool: Executor,
    cancelled: IsCancelled,
) -> bool:
    """Keep `pool` busy; return whether anything is waiting."""
    while len(waiting) < pool.window:
        if cancelled():
            raise _CancelledError
        part = next(parts, None)
        if part is None:
            break
        waiting.append(_Ready(part) if isinstance(part, Outcome) else _UnderWay(part, pool.submit(part)))
    return bool(waiting)


def _finish(part: _Ready | _UnderWay, pool: Executor, cancelled: IsCancelled) -> Iterator[Outcome]:
    if isinstance(part, _Ready):
        yield part.outcome
        return
    try:
        results = _wait(part.future, cancelled)
    except BrokenProcessPool:
        # Handed on one by one, so that what is done is kept should a later one end the run.
        for item, result in zip(part.items, pool.recover(part.items), strict=True):
            yield _outcome(item, result)
            if cancelled():
                raise _CancelledError from None
        return
    for item, result in zip(part.items, results, strict=True):
        yield _outcome(item, result)


def _wait(
    future: Future[list[ImageAnalysis | MienError]], cancelled: IsCancelled
) -> list[ImageAnalysis | MienError]:
    while True:
        try:
            return future.result(timeout=_PATIENCE)
        except FutureTimeout:
            if future.done():
                return future.result()
            if cancelled():
                raise _CancelledError from None


def _outcome(item: Item, result: ImageAnalysis | MienError) -> Outcome:
    if isinstance(result, MienError):
        return Outcome(item, error=result)
    return Outcome(item, result)

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path, PurePath

import pytest
from batch_workers import NameWorker, NoModelWorker, StillbornWorker

from mien import batch
from mien.core.errors import ImageError, MienError, ModelError, OptionError, OutputError

EXECUTORS = ("serial", "processes")

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals between processes")


def item(name: str) -> batch.Item:
    return batch.Item(key=name, name=name, source=b"", relative=PurePath(name))


def items(*names: str) -> list[batch.Item]:
    return [item(name) for name in names]


def summary(outcomes) -> list[tuple[str, str | None]]:
    return [(outcome.item.name, outcome.error and type(outcome.error).__name__) for outcome in outcomes]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_outcomes_come_in_order_and_a_failure_stops_nothing(executor: str) -> None:
    names = [f"{'bad' if number % 5 == 2 else 'good'}{number}" for number in range(23)]
    unusable = batch.Item("x", "x", None, PurePath("x"), error=ImageError("no such file"))
    seen: list[tuple[int, int]] = []
    outcomes = batch.run(
        [*items(*names), unusable],
        NameWorker(),
        executor=executor,
        jobs=2,
        batch_size=3,
        progress=lambda done, total: seen.append((done, total)),
    )
    expected = [(name, "ImageFormatError" if name.startswith("bad") else None) for name in names]
    assert summary(outcomes) == [*expected, ("x", "ImageError")]
    assert seen == [(done, 24) for done in range(1, 25)]


@posix_only
def test_processes_work_elsewhere_and_end_with_the_run() -> None:
    outcomes = list(batch.run(items(*map(str, range(12))), NameWorker(), executor="processes", jobs=2))
    workers = {outcome.analysis.width for outcome in outcomes}
    assert os.getpid() not in workers
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@posix_only
def test_a_killed_process_is_replaced_and_its_items_are_done_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    names = ["a", "b", "once", "c", "d", "e"]
    outcomes = batch.run(items(*names), NameWorker(log), executor="processes", jobs=2, batch_size=2)
    assert summary(outcomes) == [(name, None) for name in names]
    assert log.read_text().splitlines().count("once") == 2


@posix_only
def test_an_item_that_kills_every_process_is_an_error_of_its_own(tmp_path: Path) -> None:
    names = ["a", "deadly", "b", "c", "deadly too", "d", "e", "f", "g"]
    outcomes = list(batch.run(items(*names), NameWorker(), executor="processes", jobs=2, batch_size=2))
    assert summary(outcomes) == [(name, "MienError" if "deadly" in name else None) for name in names]
    assert "'deadly' ended the process that read it" in str(outcomes[1].error)


@posix_only
def test_processes_that_die_at_the_start_end_the_run() -> None:
    with pytest.raises(MienError, match="end before they begin"):
        list(batch.run(items("a", "b"), StillbornWorker(), executor="processes", jobs=2))


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(("worker", "kind"), [(NoModelWorker(), ModelError), (NameWorker(), OutputError)])
def test_what_every_item_would_meet_ends_the_run(executor: str, worker: batch.Worker, kind: type) -> None:
    with pytest.raises(kind):
        list(batch.run(items("a", "full", "b"), worker, executor=executor, jobs=2))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_cancelling_ends_early_and_without_an_error(executor: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    outcomes = []
    run = batch.run(
        items(*map(str, range(100))),
        NameWorker(log),
        executor=executor,
        jobs=2,
        batch_size=2,
        is_cancelled=lambda: len(outcomes) >= 10,
    )
    for outcome in run:
        outcomes.append(outcome)
    assert 10 <= len(outcomes) <= 12
    assert len(log.read_text().splitlines()) < 40


def test_cancelled_before_the_start_does_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert list(batch.run(items("a"), NameWorker(log), is_cancelled=lambda: True)) == []
    assert not log.exists()


def test_only_a_few_items_are_under_way_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = batch.run(items(*map(str, range(200))), NameWorker(log), executor="processes", jobs=2, batch_size=3)
    with closing(run):
        next(run)
    assert len(log.read_text().splitlines()) <= 2 * 2 * 3


@pytest.mark.parametrize(
    "settings", [{"executor": "cluster"}, {"jobs": -1}, {"batch_size": 0}], ids=lambda s: str(s)
)
def test_wrong_settings_are_told_at_the_call(settings: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        batch.run([], NameWorker(), **settings)


def test_an_outcome_is_either_a_result_or_an_error() -> None:
    with pytest.raises(ValueError, match="only one"):
        batch.Outcome(item("a"))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_ledger_leaves_only_the_rest_to_do(executor: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    todo = items("a", "b", "bad", "c", "d", "e", "f")
    path = tmp_path / "ledger"

    with batch.Ledger(path, {"run": 1}) as ledger:
        first = batch.run(todo, NameWorker(log), executor=executor, jobs=1, batch_size=1, ledger=ledger)
        with closing(first):
            for _ in range(4):
                next(first)
    log.unlink()

    with batch.Ledger(path, {"run": 1}) as ledger:
        outcomes = list(batch.run(todo, NameWorker(log), executor=executor, ledger=ledger))
    names = [name.name for name in todo]
    assert summary(outcomes) == [(name, "ImageFormatError" if name == "bad" else None) for name in names]
    assert [outcome.repeated for outcome in outcomes] == [True, True, False, True, False, False, False]
    assert sorted(log.read_text().splitlines()) == ["bad", "d", "e", "f"]

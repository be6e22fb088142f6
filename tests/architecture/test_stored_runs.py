"""The runs kept under docs/runs: small, whole, without weights, and the leaderboard is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.training.runs.leaderboard import results_table, stored
from mien.training.runs.read import find_runs, read_run

REPOSITORY = Path(__file__).resolve().parents[2]
KEPT = REPOSITORY / "docs" / "runs"
RUNS = sorted(path.parent for path in KEPT.glob("*/config.json"))
LARGEST = 300_000  # bytes of one folder


def test_every_stored_run_can_be_read() -> None:
    runs, wrong = find_runs(KEPT)
    assert not wrong
    assert [run.path for run in runs] == RUNS
    assert not [run.problems for run in runs if run.problems]


@pytest.mark.parametrize("folder", RUNS, ids=lambda path: path.name)
def test_a_stored_run_is_small_and_has_no_weights(folder: Path) -> None:
    files = list(folder.iterdir())
    assert sum(path.stat().st_size for path in files) < LARGEST
    assert {path.suffix for path in files} <= {".json", ".csv", ".txt", ".html"}
    assert {"config.json", "log.csv", "architecture.txt", "report.html"} <= {path.name for path in files}


def test_the_leaderboard_has_a_row_for_every_run_that_was_measured() -> None:
    page = (REPOSITORY / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    for run in stored(KEPT):
        assert f"(runs/{run.name}/config.json)" in page
        assert run.metrics is not None, f"{run.name} was stored without --test"
        assert run.cost is not None
    assert len(results_table(stored(KEPT))[1]) >= 6


def test_the_stored_run_of_the_shipped_model_is_its() -> None:
    shipped = (REPOSITORY / "src" / "mien" / "zoo" / "weights" / "mien-base.json").read_text(encoding="utf-8")
    run = read_run(KEPT / "mien-base")
    assert run.card is not None
    assert run.card.to_json() == shipped

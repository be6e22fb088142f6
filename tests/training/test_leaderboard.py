"""The leaderboard: claims beside measurements, made from stored runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from run_support import add_model, make_run

from mien.core.errors import TrainingError
from mien.training.run_folder import read_config
from mien.training.runs.leaderboard import CLAIMS, commands, cost_table, machines, results_table, stored


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    add_model(make_run(tmp_path / "own", 0.5, preset_of="r5"), 0.6)
    add_model(make_run(tmp_path / "better", 0.5, epochs=9, batch_size=96), 0.7)
    add_model(make_run(tmp_path / "ours", 0.5, architecture="mien-base"), 0.65)
    make_run(tmp_path / "first-stage", 0.5)
    for name in ("own", "ours"):
        text = '{"milliseconds_per_face": 1.234, "bytes": 3500000, "machine": "a processor"}'
        (tmp_path / name / "cost.json").write_text(text)
    return tmp_path


def test_a_network_s_runs_stand_together_the_best_first_and_one_without_a_run_says_so(kept: Path) -> None:
    runs = stored(kept)
    assert [run.name for run in runs] == ["ours", "better", "own"]
    head, rows = results_table(runs)
    assert all(len(row) == len(head) for row in rows)
    networks = [row[0] for row in rows]
    assert networks == ["`mien-base`", "`r1`", "`r2`", "`r3`", "`r4`", "`r5`", "`r5`"]
    cells = dict(zip(head, rows[-2], strict=True))
    assert cells["test accuracy"] == "**70.0 %**"
    assert cells["95 % interval"] == "60.0 to 80.0 %"
    assert cells["faces, labels"] == "40; angry, happy, sad"
    assert (cells["epochs"], cells["batch"]) == ("1 of 9", "96")
    assert "better/config.json" in cells["recipe"]
    absent = dict(zip(head, rows[1], strict=True))
    assert absent["claimed"].startswith(CLAIMS["r1"].accuracy)
    assert absent["test accuracy"] == "not trained here yet"


def test_costs_are_those_that_were_measured(kept: Path) -> None:
    runs = stored(kept)
    head, rows = cost_table(runs)
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["ms a face"] for row in cells] == ["1.23", "–", "1.23"]
    assert cells[0]["size"] == "3.5 MB"
    assert cells[0]["parameters"] == "883,173"
    assert machines(runs) == ["a processor"]


def test_the_commands_name_the_runs(kept: Path) -> None:
    assert ["--preset r5" in command for command in commands(stored(kept), kept)] == [False, False, True]


def test_a_stored_run_that_is_damaged_is_an_error(kept: Path) -> None:
    (kept / "own" / "cost.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"own: cost\.json is damaged"):
        stored(kept)


def test_the_run_that_the_weights_come_from_is_made_first(tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", 0.4, 0.6, 0.5, epochs=9, erase=0.5)
    second = make_run(tmp_path / "second", 0.7)
    start = {"sha256": "ab", "epoch": 2, "recipe": read_config(first).to_dict()}
    facts = json.loads((second / "run.json").read_text())
    (second / "run.json").write_text(json.dumps({**facts, "start": start}))
    add_model(second, 0.6)
    made = commands(stored(tmp_path), tmp_path)
    assert len(made) == 2
    assert "--output runs/first" in made[0]
    assert "--erase 0.5" in made[0]
    assert "--output runs/second" in made[1]
    assert "--from runs/first" in made[1]

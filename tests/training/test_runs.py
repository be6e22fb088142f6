"""The record of runs: read whole or damaged, told in words, grouped by seed, kept without weights."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_support import damaged, variants
from run_support import add_model, make_run

from mien.core.errors import OptionError, TrainingError
from mien.core.spread import Spread
from mien.training.at_work import at_work, is_at_work
from mien.training.runs.read import find_runs, read_run
from mien.training.runs.record import write_note
from mien.training.runs.table import differences, experiments, to_csv

METRICS = '{"faces": 1, "data": "", "model": {"digest": "0"}, "metrics": %s}'


def test_a_finished_run_is_read(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "one", 0.4, 0.6, 0.5)
    add_model(folder, 0.55)
    run = read_run(folder)
    assert (run.name, run.state, len(run.log), run.problems) == ("one", "finished", 3, ())
    assert run.best is not None
    assert (run.best.epoch, run.best.validation_accuracy) == (2, 0.6)
    assert run.size == (883_173, 881_253, 70_265_344)
    assert run.test("accuracy") == (0.55, pytest.approx(0.45), pytest.approx(0.65))
    assert run.test_faces == 40
    assert run.model == folder / "one.onnx"
    assert run.seconds == 30
    json.dumps(run.to_dict())


def test_a_run_stops_being_at_work_when_it_wrote_nothing_for_long(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "one", 0.4, epochs=9)
    (folder / "last.safetensors").touch()
    assert read_run(folder).state == "running"
    for path in folder.iterdir():
        os.utime(path, (time.time() - 3600,) * 2)
    assert read_run(folder).state == "interrupted"


def test_a_run_whose_process_is_known_is_no_guess(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "one", 0.4, epochs=9)
    (folder / "last.safetensors").touch()
    with at_work(folder):
        if is_at_work(folder) is None:
            pytest.skip("this system does not say which processes there are")
        run = read_run(folder)
        assert (run.state, run.guessed, run.told) == ("running", False, "running: 1 of 9 epochs are done")
        said = json.loads((folder / "at-work.json").read_text())
    assert read_run(folder).told == "interrupted: stopped after epoch 1 of 9"
    # Killed: nobody could take the word back. Then another process had the same number.
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for other in ({"process": gone.pid}, {"began": "1"}):
        (folder / "at-work.json").write_text(json.dumps({**said, **other}))
        assert (read_run(folder).state, read_run(folder).guessed) == ("interrupted", False)
    (folder / "at-work.json").write_text(json.dumps({**said, "machine": "another"}))
    assert (read_run(folder).state, read_run(folder).guessed) == ("running", True)
    assert read_run(folder).mark == "running?"


def test_a_run_without_an_epoch_was_not_started(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "one")
    for path in folder.iterdir():
        os.utime(path, (time.time() - 3600,) * 2)
    run = read_run(folder)
    assert (run.state, run.told) == ("not started", "not started: no epoch was finished")


def test_a_copy_without_checkpoints_is_not_at_work(tmp_path: Path) -> None:
    assert read_run(make_run(tmp_path / "one", 0.4, epochs=9)).state == "interrupted"


def test_patience_finishes_a_run(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "one", 0.6, 0.5, 0.5, epochs=50, patience=2)
    assert read_run(folder).state == "finished"


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("log.csv", "epoch,train_loss\n1,x\n", "log.csv is damaged after 0 epochs"),
        ("log.csv", "epoch,train_loss,validation_loss,validation_accuracy\n7,1,1,1\n", "damaged after 0"),
        ("log.csv", "epoch,train_loss,validation_loss,validation_accuracy\n1,nan,1,1\n", "damaged after 0"),
        ("log.csv", b"\xff\xfe", "log.csv cannot be read"),
        ("run.json", "[]", "run.json is damaged"),
        ("run.json", "[" * 100_000, "run.json is damaged"),
        ("metrics.json", "{}", "metrics.json is damaged"),
        ("metrics.json", METRICS % '{"a": {"value": "x"}}', "metrics.json is damaged"),
        ("metrics.json", METRICS.replace("1", "Infinity") % "{}", "metrics.json is damaged"),
        ("metrics.json", METRICS % "{}", "of another model"),
        ("log.csv", "no log", "log.csv is damaged after 0 epochs"),
        ("cost.json", "{}", "cost.json is damaged"),
        ("one.json", "{}", "one.json is damaged"),
        ("note.txt", b"\xff", "note.txt cannot be read"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_and_the_rest_is_read(
    tmp_path: Path, file: str, content: str | bytes, says: str
) -> None:
    folder = make_run(tmp_path / "one", 0.4)
    add_model(folder, 0.5)
    (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
    run = read_run(folder)
    assert len(run.problems) == 1
    assert says in run.problems[0]
    assert run.config.architecture == "r5"


REAL = {
    "metrics.json": METRICS % '{"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}}',
    "cost.json": '{"milliseconds_per_face": 2.5, "machine": "a machine", "threads": 1, "bytes": 900}',
    "note.txt": "kept",
}


@pytest.mark.parametrize(
    "name", ["config.json", "run.json", "log.csv", "one.json", "architecture.txt", *REAL]
)
def test_no_content_of_a_file_is_fatal(tmp_path: Path, name: str) -> None:
    folder = make_run(tmp_path / "one", 0.4, 0.6)
    add_model(folder, 0.5)
    for file, text in REAL.items():
        (folder / file).write_text(text)
    real = (folder / name).read_bytes()
    contents = [damaged(real, seed) for seed in range(200)] + [real[:length] for length in range(0, 200, 7)]
    if name.endswith(".json"):
        contents += [json.dumps(variant).encode() for variant in variants(json.loads(real))]
    for content in contents:
        (folder / name).write_bytes(content)
        try:
            run = read_run(folder)
        except TrainingError:
            assert name == "config.json"  # without which nobody knows what the run is
            continue
        json.dumps(run.to_dict())
        to_csv(experiments([run]))


def test_folders_that_are_no_runs_are_told_and_the_others_found(tmp_path: Path) -> None:
    make_run(tmp_path / "b" / "inside" / "deep", 0.4)
    make_run(tmp_path / "a", 0.4)
    make_run(tmp_path / "future", 0.4).joinpath("config.json").write_text('{"warp": 9}')
    make_run(tmp_path / "huge", 0.4).joinpath("config.json").write_bytes(b" " * 9_000_000)
    (tmp_path / "pictures").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    runs, wrong = find_runs(tmp_path)
    assert [run.name for run in runs] == ["a", "b/inside/deep"]
    told = {path.name: why for path, why in wrong}
    assert set(told) == {"future", "huge", "pictures"}
    assert "warp" in told["future"]
    assert "larger than" in told["huge"]
    assert "no run" in told["pictures"]
    assert [run.name for run in find_runs(tmp_path / "a")[0]] == ["a"]
    with pytest.raises(TrainingError, match="not a folder"):
        find_runs(tmp_path / "nowhere")


def test_runs_with_other_seeds_are_one_experiment(tmp_path: Path) -> None:
    for seed, accuracy in ((0, 0.6), (1, 0.62), (2, 0.64)):
        make_run(tmp_path / f"s{seed}", accuracy, seed=seed)
    make_run(tmp_path / "wide", 0.7, erase=0.5)
    for fold in ("y/fold-1", "y/fold-2"):
        make_run(tmp_path / fold, 0.7, erase=0.4)
    found = experiments(find_runs(tmp_path)[0])
    names = [[run.name for run in one.runs] for one in found]
    assert names == [["s0", "s1", "s2"], ["wide"], ["y/fold-1"], ["y/fold-2"]]
    assert found[0].validation == Spread(pytest.approx(0.62), pytest.approx(0.02))
    assert found[1].validation == Spread(0.7)
    rows = list(csv.DictReader(to_csv(found).splitlines()))
    assert [row["runs"] for row in rows] == ["s0 s1 s2", "wide", "y/fold-1", "y/fold-2"]
    assert float(rows[0]["validation_deviation"]) == pytest.approx(0.02)
    assert rows[1]["test_accuracy"] == ""


def test_runs_side_by_side_name_what_differs(tmp_path: Path) -> None:
    one = read_run(make_run(tmp_path / "one", 0.5))
    other = read_run(make_run(tmp_path / "other", 0.5, rotation=3.0))
    assert differences([one, other]) == {"rotation": [12.0, 3.0]}
    with pytest.raises(OptionError, match="two or more"):
        differences([one])


def test_a_note_is_kept_and_taken_back(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "one", 0.5)
    write_note(folder, " kept: +0.4 points\n")
    assert read_run(folder).note == "kept: +0.4 points"
    write_note(folder, "")
    assert read_run(folder).note == ""
    with pytest.raises(TrainingError, match=r"2,000 characters, not 2,001"):
        write_note(folder, "x" * 2001)
    with pytest.raises(TrainingError, match="not a run"):
        write_note(tmp_path, "x")

"""The record of runs: read whole or damaged, told in words, grouped by seed, kept without weights."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from run_support import LABELS, add_model, make_run

from mien.cli import train
from mien.core.errors import MienError, OptionError, OutputError, TrainingError
from mien.core.spread import Spread
from mien.datasets import FaceDataset
from mien.testing import crops
from mien.training.at_work import at_work, is_at_work
from mien.training.config import TrainingConfig, network_of
from mien.training.presets import FINE_TUNE, PRESETS, resolve
from mien.training.runs.command import command_here, command_of, start_of
from mien.training.runs.read import find_runs, read_run
from mien.training.runs.recipe import recipe_of
from mien.training.runs.record import write_note
from mien.training.runs.table import differences, experiments, to_csv

METRICS = '{"faces": 1, "data": "", "model": {"digest": "0"}, "metrics": %s}'


def made(faces: int = 12) -> FaceDataset:
    names = tuple(f"{i}.png" for i in range(faces))
    return FaceDataset(crops(faces), np.arange(faces) % 3, LABELS, names, source="made/test")


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


@given(
    content=st.binary(max_size=200),
    file=st.sampled_from(("log.csv", "run.json", "metrics.json", "cost.json")),
)
def test_no_content_of_a_file_is_fatal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, file: str
) -> None:
    folder = make_run(tmp_path_factory.mktemp("runs") / "one")
    (folder / file).write_bytes(content)
    json.dumps(read_run(folder).to_dict())


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


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != FINE_TUNE])
def test_a_preset_is_recognised_with_what_was_changed_in_it(preset: str) -> None:
    config = resolve(preset, None, {})
    recipe = recipe_of(config)
    assert (recipe.preset, recipe.changes) == (preset, {})
    recipe = recipe_of(replace(config, batch_size=96, seed=5))
    assert recipe.preset == preset
    assert list(recipe.changes) == ["batch_size"]
    assert recipe.text().endswith("; batch_size 96")


def test_fine_tuning_is_recognised_where_little_is_changed_in_it() -> None:
    config = resolve(FINE_TUNE, None, {}, network_of(TrainingConfig()))
    assert recipe_of(config).text() == "fine-tune"
    assert recipe_of(replace(config, epochs=20, seed=5)).text() == "fine-tune; epochs 20"
    assert recipe_of(replace(config, batch_size=96)).preset != FINE_TUNE


def test_another_network_under_mien_s_recipe_is_recognised() -> None:
    recipe = recipe_of(TrainingConfig(architecture="r1", epochs=20))
    assert recipe.text() == "Mien's; epochs 20"
    assert recipe_of(resolve(None, None, {"architecture": "r4", "epochs": 15})).text() == "Mien's; epochs 15"


@pytest.mark.parametrize(
    "options",
    [
        {**PRESETS["r1"], "batch_size": 64},
        {"architecture": "r4", "small_fraction": 0.0, "epochs": 20, "flip": False, "seed": 3},
        {**PRESETS["r5"]},
        {},
    ],
)
def test_the_command_makes_the_same_configuration(tmp_path: Path, options: dict[str, object]) -> None:
    run = read_run(
        make_run(tmp_path / "my run", 0.5, **{"epochs": 5, "architecture": "mien-base", **options})
    )
    words = shlex.split(command_of(run))
    assert words[:3] == ["mien", "train", "made/train"]
    command = typer.main.get_command(train.app)
    values = command.make_context("train", words[2:]).params
    names = set(TrainingConfig().to_dict())
    chosen = {name: value for name, value in values.items() if name in names and value is not None}
    assert resolve(values["preset"], None, chosen) == run.config
    assert values["labels"] == ",".join(LABELS)


def test_the_command_of_this_machine_names_the_places(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "runs" / "my run", 0.5, epochs=9)
    (folder / "last.safetensors").touch()
    place = {"data": str(tmp_path / "faces"), "test": "/elsewhere/test"}
    (folder / "places.json").write_text(json.dumps(place))
    os.utime(folder / "last.safetensors", (1, 1))
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    text, known = command_here(read_run(folder), tmp_path)
    words = shlex.split(text)
    assert known
    assert words[:3] == ["mien", "train", "faces"]
    assert words[3:7] == ["--test", "/elsewhere/test", "--output", "runs/my run"]
    assert shlex.split(command_here(read_run(folder), folder)[0])[2] == str(tmp_path / "faces")
    # A finished run is made again beside it, and without the places the names are said to be names.
    done = make_run(tmp_path / "runs" / "done", 0.5)
    text, known = command_here(read_run(done), tmp_path)
    assert (shlex.split(text)[2:5], known) == (["made/train", "--output", "runs/done-again"], False)


@pytest.mark.parametrize(
    ("start", "words", "options"),
    [
        (None, "fresh weights", ""),
        ({"model": "mien-base", "sha256": "ab"}, "the weights of mien-base", "--from mien-base"),
        ({"recipe": {}, "epoch": 3}, "an earlier run's weights", "--from START"),
        (
            {"source": "net.safetensors", "names": "timm", "sha256": "ab"},
            "another program's weights (net.safetensors, by timm's names)",
            "--init INIT.safetensors --sha256 ab",
        ),
        (
            {"source": "https://example.org/net.safetensors", "names": "own", "sha256": "ab"},
            "another program's weights (https://example.org/net.safetensors)",
            "--init https://example.org/net.safetensors --sha256 ab",
        ),
        ("x", "weights of a file", "--from START"),
        ([5], "weights of a file", "--from START"),
    ],
)
def test_the_weights_that_a_run_began_with_are_told(
    tmp_path: Path, start: object, words: str, options: str
) -> None:
    folder = make_run(tmp_path / "one", 0.5)
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**facts, "start": start}))
    run = read_run(folder)
    assert start_of(run) == words
    assert options in command_of(run)
    assert ("--from" in command_of(run)) == ("--from" in options)


@given(
    facts=st.fixed_dictionaries(
        {},
        optional={
            name: st.none()
            | st.booleans()
            | st.integers()
            | st.text()
            | st.lists(st.text())
            | st.just({"a": 1})
            for name in ("data", "labels", "votes", "start", "faces", "validation_faces", "mien", "revision")
        },
    )
)
def test_no_fact_of_another_kind_is_fatal(tmp_path_factory: pytest.TempPathFactory, facts: object) -> None:
    folder = make_run(tmp_path_factory.mktemp("runs") / "one", 0.5)
    (folder / "run.json").write_text(json.dumps(facts))
    run = read_run(folder)
    assert command_of(run).startswith("mien train ")
    assert command_here(run, folder)[0]
    assert start_of(run)
    assert experiments([run])
    json.dumps(run.to_dict())


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


@pytest.fixture
def drawing() -> None:
    for package in ("matplotlib", "jinja2", "sklearn"):
        pytest.importorskip(package, reason=f"needs {package}, of the report extra")


@pytest.mark.usefixtures("drawing")
def test_an_interrupted_run_has_a_report(tmp_path: Path) -> None:
    from mien.training.runs.report import report_run

    folder = make_run(tmp_path / "<b>one", 0.4, 0.5, epochs=9, erase=0.5)
    (folder / "note.txt").write_text("<script>alert(1)</script>")
    text = report_run(folder).read_text(encoding="utf-8")
    assert "Interrupted: stopped after epoch 2 of 9" in text
    assert "No test faces were given" in text
    assert "<script" not in text
    assert "<b>one" not in text
    assert re.search(r"erase</th><td>0.5</td><td>0.2", text)
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in (folder / "curves.svg").read_text(encoding="utf-8")
    assert not (folder / "metrics.json").exists()
    report_run(make_run(tmp_path / "new"))
    assert not (tmp_path / "new" / "curves.png").exists()


@pytest.mark.usefixtures("drawing")
def test_a_report_holds_what_the_card_says_or_what_is_measured(tmp_path: Path) -> None:
    from mien.training.runs.report import report_run

    folder = make_run(tmp_path / "one", 0.4, 0.5)
    add_model(folder, 0.75)
    text = report_run(folder).read_text(encoding="utf-8")
    assert "75.0" in text
    assert {"training-curves", "confusion-matrix", "per-class"} == set(
        re.findall(r'panel" id="([\w-]+)"', text)
    )
    assert "Not for decisions about people." in text
    cost = json.loads((folder / "cost.json").read_text(encoding="utf-8"))
    assert cost["milliseconds_per_face"] > 0
    assert cost["bytes"] == (folder / "one.onnx").stat().st_size

    text = report_run(folder, test=made()).read_text(encoding="utf-8")
    assert 'id="reliability"' in text
    figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert figures["faces"] == 12
    assert (folder / "confusion_matrix.csv").is_file()
    assert "support" in (folder / "classification_report.txt").read_text(encoding="utf-8")
    measured = read_run(folder).test("accuracy")
    assert measured is not None
    assert measured.value == figures["metrics"]["accuracy"]["value"]
    assert "--test made/test" in command_of(read_run(folder))


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("broken", ["labels", "confusion", "per_label", "reliability"])
def test_figures_that_are_damaged_inside_are_an_error_in_words(tmp_path: Path, broken: str) -> None:
    from mien.training.runs.report import report_run

    folder = make_run(tmp_path / "one", 0.4)
    add_model(folder)
    report_run(folder, test=made())
    figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    (folder / "metrics.json").write_text(json.dumps({**figures, broken: {"angry": 1}}))
    with pytest.raises(TrainingError, match="measure again: mien runs report --test"):
        report_run(folder)


@pytest.mark.usefixtures("drawing")
def test_a_stored_run_is_small_whole_and_says_the_same(tmp_path: Path) -> None:
    from mien.training.runs.store import store_run

    folder = make_run(tmp_path / "runs" / "one", 0.4, 0.5)
    add_model(folder, 0.75)
    (folder / "last.safetensors").write_bytes(b"0" * 1000)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    place = store_run(folder, tmp_path / "docs", test=made())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert place == tmp_path / "docs" / "one"
    names = {path.name for path in place.iterdir()}
    assert names == {
        *("config.json", "run.json", "log.csv", "architecture.txt", "one.json", "metrics.json", "cost.json"),
        *("confusion_matrix.csv", "classification_report.txt", "report.html"),
    }
    assert sum(path.stat().st_size for path in place.iterdir()) < 250_000
    kept, run = read_run(place), read_run(folder)
    assert (kept.config, kept.log, kept.state, kept.problems) == (run.config, run.log, "finished", ())
    assert kept.test_faces == 12
    assert "Finished" in (place / "report.html").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="another folder"):
        store_run(folder, tmp_path / "runs")
    with pytest.raises(MienError):
        store_run(tmp_path, tmp_path / "docs")

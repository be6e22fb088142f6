"""What a run changed in its recipe, and the command that makes it again."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from run_support import LABELS, make_run

from mien.cli import train
from mien.training.config import TrainingConfig, network_of
from mien.training.presets import FINE_TUNE, PRESETS, resolve
from mien.training.runs.command import command_here, command_of, start_of
from mien.training.runs.read import read_run
from mien.training.runs.recipe import recipe_of
from mien.training.runs.table import experiments

METRICS = '{"faces": 1, "data": "", "model": {"digest": "0"}, "metrics": %s}'


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

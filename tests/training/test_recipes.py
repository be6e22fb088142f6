"""Packed faces come back whole, a plan says what is wrong with it, and all of it runs, stops and goes on."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

pytest.importorskip("torch", reason="needs torch, of the train extra")

sys.path.append(str(Path(__file__).resolve().parents[2]))  # recipes stand beside the package

from mien.core import images
from mien.core.errors import DatasetError, OptionError
from mien.datasets import load_training, read_votes
from mien.training.config import TrainingConfig
from mien.training.run_folder import read_config
from mien.training.split import split_data
from recipes import __main__ as recipes
from recipes import pack as packing
from recipes.bundle import bundle, unbundle
from recipes.plan import read_plan
from recipes.runner import gains

ROOT = Path(packing.__file__).parent
PLAN = """
[common]
architecture = "own_small:Small"
epochs = 2
batch_size = 8
warmup_epochs = 0
learning_rate = 0.3
validation = 0.2
rotation = 0.0
[screen]
seeds = [0]
[screen.levers.flipless]
flip = false
[[runs]]
name = "council"
folds = 2
[[runs]]
name = "pupil"
levers = true
teachers = ["council"]
options = { seed = 3, epochs = 4 }
"""
NETWORK = """
from torch import nn

class Small(nn.Sequential):
    any_side = True

    def __init__(self, labels):
        super().__init__(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, labels))
"""


@settings(max_examples=30)
@given(arrays.arrays(np.uint8, st.tuples(*[st.integers(1, 6)] * 3)))
def test_what_is_left_over_gives_back_every_pixel(faces: np.ndarray) -> None:
    assert np.array_equal(packing.restored(packing.residuals(faces)), faces)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    generator = np.random.default_rng(2)
    for number in range(40):
        face = generator.integers(0, 120, (16, 16), dtype=np.uint8)
        face[slice(8, None) if number % 2 else slice(None, 8)] += 100
        folder = tmp_path / "faces" / ("happy" if number % 2 else "sad")
        folder.mkdir(parents=True, exist_ok=True)
        images.save(np.repeat(face[:, :, None], 3, 2), folder / f"{number}.png")
    votes = "\n".join(f"{number}.png,{number % 2},{9 - number % 2}" for number in range(40))
    (tmp_path / "votes.csv").write_text(f"Image name,happiness,sadness\n{votes}\n")
    return tmp_path / "faces"


def test_packed_faces_are_the_same_data_to_train_on(faces: Path, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    for emotion in ("happy", "sad"):
        (tmp_path / "test" / emotion).mkdir()
        same = next((faces / emotion).iterdir())
        (tmp_path / "test" / emotion / "same.png").write_bytes(same.read_bytes())
    file, votes = tmp_path / "packed" / "faces.zip", tmp_path / "votes.csv"
    words = ["pack", str(faces), "--votes", str(votes), "--file", str(file)]
    assert recipes.main(words) == 0
    whole, its_votes = packing.unpack(file, tmp_path / "whole")
    ours, theirs = (split_data(load_training(place), TrainingConfig(seed=0)) for place in (faces, whole))
    assert theirs.data.apart is not None
    bare = replace(theirs.data, apart=None)
    assert bare.digest(theirs.train) == ours.data.digest(ours.train)
    assert bare.digest(theirs.validation) == ours.data.digest(ours.validation)
    assert its_votes is not None
    assert read_votes(its_votes) == read_votes(votes)
    assert recipes.main([*words, "--test", str(tmp_path / "test")]) == 0
    fewer, _ = packing.unpack(file, tmp_path / "fewer")
    assert len(load_training(fewer)) == 38
    assert recipes.main(["unpack", str(file), str(tmp_path / "again")]) == 0
    assert load_training(tmp_path / "again" / "faces").digest() == load_training(fewer).digest()
    assert packing.unpack(file, tmp_path / "fewer")[0] == fewer  # what is there is not written again


def test_what_is_not_packed_is_not_unpacked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.zip").write_text("no zip file")
    for name in ("text.zip", "nothing.zip"):
        assert recipes.main(["unpack", str(tmp_path / name), str(tmp_path / "out")]) == 2
        assert f"{name}' is no file of pack" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_more_than_what_travels_is_refused(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_BYTES", 1000)
    with pytest.raises(DatasetError, match="more than 1,000 is too much"):
        packing.pack(load_training(faces), None, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("teachers = ", 'teachers = ["none"] #'), "pupil is taught by none, which is no run before it"),
        (('name = "pupil"', 'name = "council"'), "each with a name of its own"),
        (("folds = 2", "fold = 2"), "has fold; known are folds, levers"),
        (("epochs = 4", "epoch = 4"), "epoch"),
        (("[common]", "[comon]"), "the plan has comon"),
        (("[common]", "common]"), "cannot be used"),
    ],
)
def test_a_wrong_plan_says_what_is_wrong(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    plan = PLAN.replace("own_small:Small", "mien-tiny")
    (tmp_path / "plan.toml").write_text(plan.replace(*change))
    with pytest.raises(OptionError, match=says):
        read_plan(tmp_path / "plan.toml")


@pytest.mark.parametrize("name", ["gpu", "cpu"])
def test_the_plans_that_come_along_are_sound(name: str) -> None:
    plan = read_plan(ROOT / f"{name}.toml", shorten=0.1)
    names = [job.name for job in plan.jobs]
    assert {"mien-base", "mien-tiny"} <= set(names)
    assert next(job for job in plan.jobs if job.name == "mien-base").teachers


def test_a_lever_is_worth_its_mean_gain_over_the_plain_recipe_with_the_same_seed() -> None:
    found = {
        "plain": {0: 0.60, 1: 0.70, 2: 0.65},
        "good": {0: 0.62, 1: 0.72, 2: 0.66},
        "unsure": {0: 0.70, 1: 0.62, 2: 0.65},
        "once": {1: 0.9, 7: 0.1},
    }
    rows = gains(found)
    assert rows["good"] == pytest.approx((0.05 / 3, 0.01 / 3))
    assert rows["unsure"][1] > abs(rows["unsure"][0])
    assert rows["once"][1] == float("inf")  # one seed says nothing of its spread
    assert "plain" not in rows


@pytest.mark.timeout(900)  # each of its programs imports PyTorch, which takes a busy machine long
def test_a_plan_stops_in_time_goes_on_and_travels(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_small.py").write_text(NETWORK)
    (tmp_path / "plan.toml").write_text(PLAN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    output = tmp_path / "runs"
    words = ["run", str(tmp_path / "plan.toml"), "--output", str(output), "--data", str(faces)]
    words += ["--votes", str(tmp_path / "votes.csv"), "--threads", "1", "--shorten", "0.5"]
    assert recipes.main([*words, "--minutes", "0.001"]) == 1
    assert "4 of 4 are left; the same command goes on" in capsys.readouterr().out
    assert recipes.main([*words, "--at-once", "2"]) == 0, (output / "pupil.log").read_text()
    said = capsys.readouterr().out
    assert "pupil done" in said
    assert "flipless" in said
    pupil = json.loads((output / "pupil" / "run.json").read_text())
    assert len(pupil["teachers"][0]["folds"]) == 2
    config = read_config(output / "pupil")
    assert (config.epochs, config.seed, config.flip) == (2, 3, True)  # one seed keeps no lever
    assert json.loads((output / "levers.json").read_text())["kept"] == []
    assert recipes.main([*words]) == 0
    assert "begins" not in capsys.readouterr().out

    (output / "pupil" / "pupil.json").unlink()
    whole = ["show", str(tmp_path / "plan.toml"), "--output", str(output)]
    assert recipes.main(whole) == 1  # two epochs of four
    (tmp_path / "plan.toml").write_text(PLAN.replace("epochs = 4", "epochs = 2"))
    assert recipes.main(whole) == 0  # trained, and only not exported
    (tmp_path / "plan.toml").write_text(PLAN)
    assert recipes.main([*words, "--minutes", "5"]) == 0
    assert (output / "pupil" / "pupil.json").exists()  # and the same command makes up for it

    parts = bundle(output, tmp_path / "parts", part=20_000, most=300_000, first=["pupil"])
    assert len(parts) > 1
    names = unbundle(tmp_path / "parts", tmp_path / "back")
    assert "council/fold-1/best.safetensors" in names
    assert read_config(tmp_path / "back" / "pupil") == config
    assert recipes.main(["show", str(tmp_path / "plan.toml"), "--output", str(tmp_path / "back")]) == 0
    # Where not all has room, logs and cards come along, then the weights that are wanted first.
    few = bundle(output, tmp_path / "few", part=20_000, most=120_000, first=["pupil"])
    assert sum(part.stat().st_size for part in few) <= 120_000
    little = unbundle(tmp_path / "few", tmp_path / "little")
    weights = [name for name in little if name.endswith("best.safetensors")]
    assert weights[:1] == ["pupil/best.safetensors"]
    assert "screen-plain-0/screen-plain-0.json" in little
    assert recipes.main(["unbundle", str(tmp_path), "--output", str(tmp_path / "no")]) == 2

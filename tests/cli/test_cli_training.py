"""Training, measuring and exporting as a user does, on made faces."""

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_support import FACE, Ended

from mien.core import images
from mien.testing import convolutional_onnx, fake_card, write_model

Mien = Callable[..., Ended]

QUICK = ("--epochs", 5, "--batch-size", 8, "--warmup-epochs", 0, "--learning-rate", 0.02, "--average", 0.3)


@pytest.fixture
def faces(place: Path) -> Path:
    """Faces that are bright below (happy) or above (sad)."""
    generator = np.random.default_rng(2)
    for number in range(60):
        face = generator.integers(0, 60, (48, 48), dtype=np.uint8)
        label = "happy" if number % 2 else "sad"
        half = slice(24, None) if number % 2 else slice(None, 24)
        face[half] += 150
        images.save(np.repeat(face[:, :, None], 3, 2), _made(place / "faces" / label) / f"{number}.png")
    return place / "faces"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_train_then_evaluate_then_analyze(mien: Mien, faces: Path) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    done = mien("train", faces, "--output", "runs/mine", "--validation", 0.2, *QUICK)
    assert done.code == 0, done.err
    assert "epoch 5/5" in done.out
    assert "60 faces (happy 30, sad 30)" in done.err
    model = Path("runs/mine/mine.onnx")
    assert model.is_file()
    if importlib.util.find_spec("matplotlib"):
        assert all(Path("runs/mine", name).is_file() for name in ("report.html", "curves.png", "curves.svg"))
    else:
        assert "no report: matplotlib is not installed" in done.err
    assert "finished" in mien("runs", "show", "runs/mine").out

    measured = mien("evaluate", model, faces, "--output", "figures.json")
    assert measured.code == 0, measured.err
    figures = json.loads(Path("figures.json").read_text())
    assert figures["metrics"]["accuracy"]["value"] == 1.0
    assert "accuracy" in measured.out
    assert "confusion" in measured.out

    again = mien("train", faces, "--output", "runs/mine", "--validation", 0.2, *QUICK)
    assert again.code == 0, again.err
    assert "epoch" not in again.out

    exported = mien("export", "runs/mine", faces, "--name", "other", "--output", "models", "--test", faces)
    assert exported.code == 3  # all training faces stand in the test split
    assert "label 'happy' has 0 different faces" in exported.err
    assert not Path("models").exists()

    exported = mien("export", "runs/mine", faces, "--name", "other", "--output", "models")
    assert exported.code == 0, exported.err
    assert json.loads(Path("models/other.json").read_text())["labels"] == ["happy", "sad"]

    exported = mien("export", "runs/mine", faces, "--name", "phone", "--output", "models", "--int8", "--ort")
    assert exported.code == 0, exported.err
    assert "int8 beside 32-bit floating point on the validation faces: accuracy 100.0% beside" in exported.out
    assert mien("analyze", FACE, "--model", "models/phone.ort").code == 0
    assert mien("analyze", FACE, "--model", "models/phone-int8.ort").code == 0


def test_evaluate_prints_json(mien: Mien, faces: Path) -> None:
    for label in ("angry", "disgust", "fear", "neutral", "surprise"):
        images.save(np.zeros((48, 48, 3), np.uint8), _made(faces / label) / "x.png")
    done = mien("evaluate", os.environ["MODEL_PATH"], faces, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["faces"] == 65


def test_a_preset_a_file_and_options_stand_over_each_other(mien: Mien, faces: Path) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    Path("recipe.toml").write_text("epochs = 3\nbatch_size = 8\n")
    done = mien(
        "train", faces, "--output", "runs/five", "--preset", "r5", "--labels", "sad,happy",
        "--config", "recipe.toml", "--epochs", 1, "--validation", 0.2,
    )  # fmt: skip
    assert done.code == 0, done.err
    config = json.loads(Path("runs/five/config.json").read_text())
    assert (config["architecture"], config["epochs"], config["batch_size"]) == ("r5", 1, 8)
    assert json.loads(Path("runs/five/five.json").read_text())["labels"] == ["sad", "happy"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("train", "faces", "--output", "runs/x", "--preset", "r9"), 2, "r1, r2"),
        (("train", "faces", "--output", "runs/x", "--config", "no.toml"), 2, "no.toml"),
        (("evaluate", "nothing", "faces"), 2, "nothing"),
        (("train", "nowhere", "--output", "runs/x"), 3, "does not exist"),
        (("train", "faces"), 2, "--output"),
        (("train", "faces", "--output", "runs/x", "--epochs", "0"), 2, "--epochs"),
        (("train", "faces", "--output", "runs/x", "--architecture", "vgg-99"), 2, "vgg-99"),
        (("export", "faces", "faces"), 3, "not a run"),
    ],
)
def test_wrong_use_says_why(
    mien: Mien, faces: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    done = mien(*arguments)
    assert done.code == code
    assert says in done.err
    assert not Path("runs").exists()


def test_two_models_become_one_that_is_measured_and_run(mien: Mien, faces: Path) -> None:
    pytest.importorskip("onnx", reason="needs onnx, of the train extra")
    for seed, name in enumerate(("one", "two")):
        card = fake_card(("happy", "sad"), name=name)
        write_model(Path(), card, convolutional_onnx(card, seed=seed))
    both = ("ensemble", "one.onnx", "two.onnx", "--out", "new/both.onnx")
    done = mien(*both, "--weights", "2,1", "--data", faces, "--test", faces)
    assert done.code == 0, done.err
    assert "one: weight 0.667, accuracy" in done.out
    assert "accuracy " in done.out
    assert mien("evaluate", "new/both.onnx", faces).code == 0
    assert mien("analyze", FACE, "--model", "new/both.onnx").code == 0
    done = mien("ensemble", "one.onnx", os.environ["MODEL_PATH"], "--out", "wrong.onnx")
    assert (done.code, "different labels" in done.err) == (3, True)
    assert mien(*both, "--weights", "2,x").code == mien("ensemble", "one.onnx", "--out", "x.onnx").code == 2

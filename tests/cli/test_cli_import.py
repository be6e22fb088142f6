"""Importing models of Keras as a user does."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch, of the train extra")
pytest.importorskip("h5py", reason="needs h5py, of the train extra")

from cli_support import FACE, Ended
from keras_support import weights_of, write_older

from mien.core import images

Mien = Callable[..., Ended]


@pytest.fixture
def file(place: Path) -> Path:
    return write_older(place / "best model (1).h5", weights_of("r5", 5))


def test_an_imported_model_is_used_by_its_name(mien: Mien, file: Path) -> None:
    done = mien("models", "import", file, "--arch", "r5")
    assert done.code == 0, done.err
    assert "labels: angry, fear, happy, sad, surprise  (as is usual" in done.out
    assert "added best-model-1: " in done.out
    assert "taken as published" in done.err
    read = mien("analyze", FACE, "--model", "best-model-1", "--json")
    assert read.code == 0, read.err
    assert list(json.loads(read.out)["faces"][0]["scores"]) == ["angry", "fear", "happy", "sad", "surprise"]
    again = mien("models", "import", file, "--arch", "r5")
    assert again.code == 2
    assert "already" in again.err


def test_an_imported_model_is_calibrated_and_measured(mien: Mien, file: Path) -> None:
    generator = np.random.default_rng(3)
    labels = ("one", "two", "three", "four", "five")
    for label in labels:
        folder = Path("faces") / label
        folder.mkdir(parents=True)
        for number in range(4):
            images.save(generator.integers(0, 256, (48, 48, 3), dtype=np.uint8), folder / f"{number}.png")
    done = mien(
        "models", "import", file, "--arch", "r5", "--labels", ",".join(labels), "--output", "out",
        "--name", "own", "--validation", "faces", "--test", "faces",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert re.search(r"accuracy +0\.", done.out)
    card = json.loads(Path("out/own.json").read_text())
    assert card["labels"] == list(labels)
    assert card["training"]["imported_from"] == file.name
    assert card["metrics"]
    assert card["temperature"] != 1
    assert {path.name for path in Path("out").iterdir()} == {"own.onnx", "own.json", "own.safetensors"}


def test_another_order_is_chosen_on_some_faces_and_measured_on_others(mien: Mien, file: Path) -> None:
    arguments = ("models", "import", file, "--arch", "r5", "--name", "own")
    assert mien(*arguments, "--output", "out").code == 0
    labels = ["angry", "fear", "happy", "sad", "surprise"]
    generator = np.random.default_rng(3)
    for number in range(24):
        folder = Path("faces") / labels[number % 5]
        folder.mkdir(parents=True, exist_ok=True)
        images.save(generator.integers(0, 256, (48, 48, 3), dtype=np.uint8), folder / f"{number}.png")
    assert mien("predict", "out/own.onnx", "faces", "--output", "read.json").code == 0
    # The same faces, each in the folder of the label that follows the one it is read as.
    for row in json.loads(Path("read.json").read_text())["predictions"]:
        following = labels[(labels.index(row["predicted"]) + 1) % 5]
        folder = Path("turned") / following
        folder.mkdir(parents=True, exist_ok=True)
        (Path("faces") / row["name"]).rename(folder / Path(row["name"]).name)
    for label in labels:  # one wrong face of every other label, so that there are several
        if not (Path("turned") / label).exists():
            (Path("turned") / label).mkdir()
            noise = generator.integers(0, 256, (48, 48, 3), dtype=np.uint8)
            images.save(noise, Path("turned") / label / "wrong.png")
    done = mien(*arguments, "--output", "again", "--test", "turned")
    assert done.code == 0, done.err
    found = re.search(r"(\d+\.\d)% in place of (\d+\.\d)% of (\d+) test faces", done.err)
    assert found, done.err
    assert float(found[1]) > 50 > float(found[2])
    assert 10 <= int(found[3]) <= 15  # half of them
    assert "measure on others" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nothing.h5", "--arch", "r5"), 2, "does not exist"),
        (("best model (1).h5",), 2, "--arch"),
        (("best model (1).h5", "--arch", "r9"), 2, "r1, r2"),
        (("best model (1).h5", "--arch", "r5", "--labels", "a,b"), 2, "5 outputs"),
        (("best model (1).h5", "--arch", "r1"), 3, "r1 has 7"),
        (("best model (1).h5", "--arch", "r5", "--scale", "both"), 2, "unit"),
        (("best model (1).h5", "--arch", "r5", "--name", "a/b"), 3, "a/b"),
        (("best model (1).h5", "--arch", "r5", "--test", "nowhere"), 3, "nowhere"),
    ],
)
def test_wrong_use_says_why(mien: Mien, file: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = mien("models", "import", *arguments)
    assert done.code == code
    assert says in done.err
    assert "added" not in done.out

"""Cross-validating as a user does, on made faces."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_support import Ended

from mien.core import images

Mien = Callable[..., Ended]

NETWORK = """
from torch import nn

class Small(nn.Sequential):
    any_side = True

    def __init__(self, labels):
        super().__init__(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, labels))
"""
RECIPE = """
architecture = "own_small:Small"
epochs = 2
batch_size = 8
warmup_epochs = 0
learning_rate = 0.3
average = 0.0
validation = 0.2
"""


@pytest.fixture
def faces(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Faces that are bright below (happy) or above (sad), a network of one's own and a recipe."""
    generator = np.random.default_rng(2)
    for number in range(40):
        face = generator.integers(0, 120, (16, 16), dtype=np.uint8)
        face[slice(8, None) if number % 2 else slice(None, 8)] += 100
        folder = place / "faces" / ("happy" if number % 2 else "sad")
        folder.mkdir(parents=True, exist_ok=True)
        images.save(np.repeat(face[:, :, None], 3, 2), folder / f"{number}.png")
    (place / "own_small.py").write_text(NETWORK)
    (place / "recipe.toml").write_text(RECIPE)
    monkeypatch.syspath_prepend(place)
    monkeypatch.setenv("PYTHONPATH", str(place))
    return place / "faces"


def test_crossval_measures_every_face_and_says_so(mien: Mien, faces: Path) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    done = mien("crossval", faces, "--output", "cv", "--folds", 2, "--config", "recipe.toml")
    assert done.code == 0, done.err
    assert "40 faces (happy 20, sad 20)" in done.err
    assert "fold 2/2  epoch 2/2" in done.out
    assert "mean ± standard deviation over 2 folds" in done.out
    assert "all 40 faces, each held out once: accuracy " in done.out
    assert json.loads(Path("cv/crossval.json").read_text())["pooled"]["faces"] == 40
    assert Path("cv/fold-2/fold-2.onnx").is_file()

    again = mien("crossval", faces, "--output", "cv", "--folds", 2, "--config", "recipe.toml")
    assert again.code == 0
    assert "epoch" not in again.out
    assert again.out[again.out.index("mean ±") :] == done.out[done.out.index("mean ±") :]

    other = mien("crossval", faces, "--output", "cv", "--folds", 3, "--config", "recipe.toml")
    assert (other.code, "number_of_folds" in other.err) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("faces", "--output", "cv", "--folds", "1"), 2, "--folds"),
        (("faces", "--output", "cv", "--folds", "30"), 3, "has 20 different faces; 30 folds need 30"),
        (("faces", "--output", "cv", "--config", "none.toml"), 2, "none.toml"),
        (("faces",), 2, "--output"),
        (("nowhere", "--output", "cv"), 3, "does not exist"),
    ],
)
def test_a_wrong_crossval_says_why(
    mien: Mien, faces: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    if code == 3:
        pytest.importorskip("torch", reason="needs torch, of the train extra")
    done = mien("crossval", *arguments)
    assert done.code == code
    assert says in done.err
    assert not Path("cv").exists()


def test_an_interrupted_crossval_says_that_it_goes_on(start, mien: Mien, faces: Path) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    arguments = ("crossval", "faces", "--output", "cv", "--folds", "2", "--config", "recipe.toml")
    process = start(*arguments, "--epochs", "500", "--patience", "500")
    assert process.stdout.readline().startswith(b"fold 1/2  epoch 1/500")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert b"the same command goes on" in err
    assert b"Traceback" not in err

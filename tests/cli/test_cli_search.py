"""Cross-validating and searching as a user does, on made faces."""

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


def test_a_cross_validation_and_a_run_teach_a_small_network(mien: Mien, faces: Path) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    for emotion, number in (("sad", 0), ("happy", 1)):
        (Path("test") / emotion).mkdir(parents=True)
        same = (faces / emotion / f"{number}.png").read_bytes()
        (Path("test") / emotion / "same.png").write_bytes(same)
    recipe = ("--config", "recipe.toml", "--test", "test")
    council = mien("crossval", faces, "--output", "cv", "--folds", 2, *recipe)
    assert council.code == 0, council.err
    assert json.loads(Path("cv/crossval.json").read_text())["pooled"]["faces"] == 38
    assert mien("train", faces, "--output", "one", *recipe).code == 0
    pupil = ("train", faces, "--output", "pupil", *recipe, "--seed", 1)
    done = mien(*pupil, "--teacher", "cv", "--teacher", "one")
    assert done.code == 0, done.err
    teachers = json.loads(Path("pupil/run.json").read_text())["teachers"]
    assert [len(teacher.get("folds", "1")) for teacher in teachers] == [2, 1]
    assert json.loads(Path("pupil/pupil.json").read_text())["training"]["teachers"] == teachers
    shown = mien("runs", "show", "pupil")
    assert "--teacher cv --teacher one" in shown.out
    refused = mien(*pupil, "--teacher", "one")
    assert (refused.code, "other teachers" in refused.err) == (3, True)
    elsewhere = mien("train", faces, "--output", "x", "--config", "recipe.toml", "--teacher", "cv")
    assert (elsewhere.code, "of other faces" in elsewhere.err) == (3, True)


def test_the_datas_own_validation_split_chooses_and_is_said(mien: Mien, faces: Path) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    parted = ("dataset", "split", faces, "--output", "parted", "--validation", 0.2, "--test", 0.1)
    assert mien(*parted).code == 0
    recipe = ("--config", "recipe.toml", "--epochs", 1)
    done = mien("train", "parted", "--output", "run", *recipe)
    assert done.code == 0, done.err
    assert "28 faces (happy 14, sad 14)" in done.err
    assert "the data's own split, 8 faces, chooses the epoch" in done.err
    assert mien("export", "run", "parted", "--architecture", "own_small:Small", "--output", "again").code == 0
    done = mien("crossval", "parted", "--output", "cv", "--folds", 2, *recipe)
    assert done.code == 0, done.err
    assert "the validation split is not used (8 faces)" in done.err
    assert "all 28 faces" in done.out


def test_ones_own_network_of_one_size_is_refused_small_crops_before_anything_is_written(
    mien: Mien, faces: Path
) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    Path("own_flat.py").write_text(NETWORK.replace("any_side = True", "input_side = 16"))
    given = (faces, "--config", "recipe.toml", "--arch", "own_flat:Small", "--output", "flat")
    for command in ("train", "crossval", "tune"):
        done = mien(command, *given, "--small-fraction", 0.5)
        assert (done.code, "small_fraction has to be 0 for own_flat:Small" in done.err) == (2, True)
        assert not Path("flat").exists()
    assert mien("train", *given, "--epochs", 1).code == 0
    assert json.loads(Path("flat/config.json").read_text())["small_fraction"] == 0


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


SEARCH = ("--search", "learning_rate=0.01..1:log", "--search", "batch_size=4,8")


def test_tune_finds_a_recipe_that_train_takes(mien: Mien, faces: Path) -> None:
    pytest.importorskip("optuna", reason="needs optuna, of the train extra")
    arguments = ("tune", faces, "--output", "found", "--config", "recipe.toml", *SEARCH)
    done = mien(*arguments, "--trials", 2)
    assert done.code == 0, done.err
    assert "searching learning_rate=0.01..1:log; batch_size=4,8" in done.err
    assert "trial 1/2  validation accuracy " in done.out
    assert "(learning_rate 0.3, batch_size 8)" in done.out
    assert "2 trials: 2 complete" in done.out
    assert "mien train" in done.out
    assert len(done.err.splitlines()) == 2  # no chatter of Optuna's

    more = mien(*arguments, "--trials", 3)
    assert more.code == 0, more.err
    assert "trial 3/3" in more.out
    assert "trial 2/3" not in more.out

    late = mien(*arguments, "--trials", 9, "--timeout", "0.001s")
    assert late.code == 0
    assert "the time is up after 3 of 9 trials; the same command goes on" in late.err

    other = mien("tune", faces, "--output", "found", "--config", "recipe.toml")
    assert (other.code, "other search space" in other.err) == (3, True)

    assert mien("train", faces, "--output", "runs/best", "--config", "found/best.toml").code == 0
    assert Path("runs/best/best-model.onnx").is_file()


def test_without_a_search_the_usual_options_are_tried_but_for_those_given(mien: Mien, faces: Path) -> None:
    pytest.importorskip("optuna", reason="needs optuna, of the train extra")
    done = mien("tune", faces, "--output", "found", "--config", "recipe.toml", "--trials", 1, "--rotation", 0)
    assert done.code == 0, done.err
    assert "learning_rate=0.03..3:log" in done.err
    assert "rotation" not in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("faces", "--output", "found", "--trials", "0"), 2, "--trials"),
        (("faces", "--output", "found", "--timeout", "soon"), 2, "not 'soon'"),
        (("faces", "--output", "found", "--timeout", "0h"), 2, "not '0h'"),
        (("faces", "--output", "found", "--pruner", "axe"), 2, "unknown pruner 'axe'"),
        (("faces", "--output", "found", "--search", "light=0..2"), 2, "light has to be between 0 and 1"),
        (("faces", "--output", "found", "--search", "lights=0..1"), 2, "unknown option 'lights'"),
        (("faces",), 2, "--output"),
        (("nowhere", "--output", "found"), 3, "does not exist"),
    ],
)
def test_a_wrong_tune_says_why(
    mien: Mien, faces: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    pytest.importorskip("optuna", reason="needs optuna, of the train extra")
    done = mien("tune", *arguments)
    assert done.code == code
    assert says in done.err
    assert not Path("found").exists()


def test_an_interrupted_tune_loses_nothing_it_told(start, mien: Mien, faces: Path) -> None:
    pytest.importorskip("optuna", reason="needs optuna, of the train extra")
    arguments = ("tune", "faces", "--output", "found", "--config", "recipe.toml", *SEARCH)
    process = start(*arguments, "--trials", "5000")
    told = process.stdout.readline()
    assert told.startswith(b"trial 1/5000  validation accuracy")
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate()
    assert process.returncode == 130
    assert b"the same command goes on" in err
    assert b"Traceback" not in err
    rows = Path("found/trials.csv").read_text().splitlines()[1:]
    assert len([row for row in rows if ",complete," in row]) >= len((told + rest).splitlines())
    again = mien(*arguments, "--trials", 1)
    assert again.code == 0, again.err
    assert "epochs" not in again.out.splitlines()[0]

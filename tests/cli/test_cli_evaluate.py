"""`mien evaluate` and `mien predict` as users call them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_support import Ended

from mien.core import images
from mien.core.emotions import DEFAULT_LABELS
from mien.testing import fake_card, write_model

Mien = Callable[..., Ended]


@pytest.fixture
def model(place: Path) -> str:
    """Reads black as the first label and white as the last."""
    return os.environ["MODEL_PATH"]


@pytest.fixture
def faces(place: Path) -> Path:
    """Two faces a label of the brightness that the model reads as it; the second "angry" one is white."""
    for index, label in enumerate(DEFAULT_LABELS):
        (place / "faces" / label).mkdir(parents=True)
        for number in range(2):
            grey = 255 if (label, number) == ("angry", 1) else int((index + 0.5) / 7 * 255)
            picture = np.full((48, 48, 3), grey, np.uint8)
            picture[0, 0] = number  # no two alike
            images.save(picture, place / "faces" / label / f"{label}{number}.png")
    return place / "faces"


def test_everything_at_once(mien: Mien, model: str, faces: Path, place: Path) -> None:
    for package in ("matplotlib", "jinja2", "sklearn"):
        pytest.importorskip(package, reason=f"needs {package}, of the report extra")
    rows = [f"{label}{n}.png,{9 if label == 'angry' else 0},9,0" for label in DEFAULT_LABELS for n in "01"]
    Path("votes.csv").write_text("\n".join(["Image name,anger,unknown,happiness", *rows]))
    extras = ("--votes", "votes.csv", "--corruptions", "--compare", model, "--report", "report")
    done = mien("evaluate", model, faces, *extras, "--output", "figures.json")
    assert done.code == 0, done.err
    for words in ("damaged faces", "mean relative drop", "low_resolution", "McNemar p = 1", "report.html"):
        assert words in done.out
    assert "no face has one label" in done.err  # half of the votes is not more than half
    kept = json.loads(Path("figures.json").read_text(encoding="utf-8"))
    reported = json.loads(Path("report/metrics.json").read_text(encoding="utf-8"))
    assert kept["metrics"] == reported["metrics"]
    assert kept["metrics"]["accuracy"]["value"] == pytest.approx(13 / 14)
    assert Path("report/report.html").is_file()


def test_a_crowd_is_reported(mien: Mien, model: str, faces: Path) -> None:
    Path("votes.csv").write_text("Image name,anger,unknown\nangry0.png,9,1\nangry1.png,9,1\n")
    done = mien("evaluate", model, faces, "--votes", "votes.csv", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["crowd"]["share"] == 0.5
    shown = mien("evaluate", model, faces, "--votes", "votes.csv").out
    assert "crowd: reads 0.5000" in shown
    assert "by the weight of the votes  0: 0.5000" in shown


def test_mirror_images_and_the_mean_of_both(mien: Mien, model: str, faces: Path) -> None:
    done = mien("evaluate", model, faces, "--mirror", "--tta", "--json")
    assert done.code == 0, done.err
    figures = json.loads(done.out)
    assert figures["mirror"]["share"] == 1.0
    assert figures["protocol"].startswith("mean of a face and its mirror image")
    assert "mirror images: 1.0000" in mien("evaluate", model, faces, "--mirror").out


def test_faces_that_a_model_does_not_know_can_be_left_out(mien: Mien, faces: Path, place: Path) -> None:
    model = write_model(place, fake_card(labels=("happy", "sad"), name="two"))
    done = mien("evaluate", model, faces)
    assert done.code == 3
    assert "does not know the labels" in done.err
    done = mien("evaluate", model, faces, "--labels", "sad,happy", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["faces"] == 4


def test_faces_of_another_size_are_resized_on_request(mien: Mien, faces: Path, place: Path) -> None:
    model = write_model(place, fake_card(name="small", size=24))
    assert "24×24" in mien("evaluate", model, faces).err
    done = mien("predict", model, faces, "--resize")
    assert done.out == "Accuracy on the test set: 92.9 %\n", done.err
    assert "--output predictions.csv writes each" in done.err


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_each_prediction_is_written(mien: Mien, model: str, faces: Path, suffix: str) -> None:
    done = mien("predict", model, faces, "--output", f"out{suffix}")
    assert (done.code, done.out) == (0, "Accuracy on the test set: 92.9 %\n"), done.err
    text = Path(f"out{suffix}").read_text(encoding="utf-8")
    if suffix == ".csv":
        rows = list(csv.DictReader(text.splitlines()))
        scores = [float(rows[1][f"score_{label}"]) for label in DEFAULT_LABELS]
    else:
        document = json.loads(text)
        assert document["accuracy"] == pytest.approx(13 / 14)
        rows = document["predictions"]
        scores = list(rows[1]["scores"].values())
    assert len(rows) == 14
    wrong = [row for row in rows if row["true"] != row["predicted"]]
    assert [(row["name"], row["true"], row["predicted"]) for row in wrong] == [
        ("angry/angry1.png", "angry", "surprise")
    ]
    assert sum(scores) == pytest.approx(1)
    assert float(rows[1]["confidence"]) == max(scores)


def test_faces_without_labels_are_predicted(mien: Mien, model: str, place: Path) -> None:
    pixels = " ".join(["255"] * 48 * 48)
    Path("test.csv").write_text(f"pixels\n{pixels}\n{pixels}\n")
    done = mien("predict", model, "test.csv", "--output", "out.json")
    assert done.code == 0, done.err
    assert "2 faces predicted" in done.out
    document = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert document["accuracy"] is None
    assert [(row["true"], row["predicted"]) for row in document["predictions"]] == [(None, "surprise")] * 2
    assert mien("evaluate", model, "test.csv").code == 3


def test_names_that_a_spreadsheet_would_run_are_text(mien: Mien, model: str, place: Path) -> None:
    pixels = " ".join(["0"] * 48 * 48)
    Path("test.csv").write_text(f"name,pixels\n=1+1,{pixels}\n")
    assert mien("predict", model, "test.csv", "-o", "out.csv").code == 0
    assert Path("out.csv").read_text(encoding="utf-8").splitlines()[1].startswith("'=1+1,")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("predict", "faces", "--output", "out.txt"), 2, ".csv or .json"),
        (("predict", "nowhere"), 3, "nowhere"),
        (("evaluate", "faces", "--compare", "nothing"), 2, "nothing"),
        (("evaluate", "faces", "--votes", "none.csv"), 3, "none.csv"),
        (("evaluate", "faces", "--report", "faces/angry/angry0.png"), 3, "angry0.png"),
        (("evaluate", "faces", "--split", "sunday"), 2, "sunday"),
    ],
)
def test_wrong_use_is_told_before_the_work(
    mien: Mien, model: str, faces: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    if "--report" in arguments:
        pytest.importorskip("matplotlib", reason="needs matplotlib, of the report extra")
    done = mien(arguments[0], model, *arguments[1:])
    assert (done.code, done.out) == (code, ""), done.err
    assert says in done.err

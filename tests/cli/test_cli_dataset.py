"""mien dataset as a person uses it, and the other commands on the same forms of data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_support import FACE, NO_FACE, Ended

from mien.core import images
from mien.core.emotions import DEFAULT_LABELS

Mien = Callable[..., Ended]


@pytest.fixture
def table(place: Path) -> Path:
    """FER2013 in small: two faces of each emotion to train on and one to test on."""
    generator = np.random.default_rng(5)
    lines = ["emotion,pixels,Usage"]
    for usage, count in (("Training", 2), ("PublicTest", 1)):
        for label in DEFAULT_LABELS:
            for _ in range(count):
                face = generator.integers(0, 256, 48 * 48, dtype=np.uint8)
                lines.append(f"{label},{' '.join(map(str, face))},{usage}")
    path = place / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_describe_prints_numbers(mien: Mien, table: Path) -> None:
    done = mien("dataset", "describe", table)
    assert done.code == 0, done.err
    assert "fer2013.csv/train: 14 faces, 48×48 pixels" in done.out
    assert "fer2013.csv/public-test: 7 faces" in done.out
    assert "worth a look" not in done.out
    again = mien("dataset", "describe", table, "--json", "--no-cache", "--labels", "happy,Furie")
    train, test = json.loads(again.out)["splits"]
    assert (train["split"], test["split"]) == ("train", "public-test")
    assert train["counts"] == {"happy": 2, "angry": 2}


def test_describe_draws_what_it_says(mien: Mien, table: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib, of the report extra")
    pytest.importorskip("jinja2", reason="needs jinja2, of the report extra")
    done = mien("dataset", "describe", table, "--output", "described", "--labels", "happy,angry")
    assert done.code == 0, done.err
    assert f"report: {Path('described/report.html')}" in done.out
    written = json.loads(Path("described/description.json").read_text())
    assert written["splits"][1]["counts"] == {"happy": 1, "angry": 1}
    assert Path("described/samples-public-test.png").is_file()


def test_pictures_of_several_sizes_are_described(mien: Mien, place: Path) -> None:
    for label, side in (("Furie", 50), ("Furie", 60), ("happiness", 60)):
        (place / "own" / label).mkdir(parents=True, exist_ok=True)
        face = np.full((side, side), side, np.uint8)
        cv2.imwrite(str(place / "own" / label / f"{side}.png"), face)
    done = mien("dataset", "describe", "own")
    assert done.code == 0, done.err
    assert "resized from 60×60 (2), 50×50 (1)" in done.out
    assert "faces have 2 sizes; here they were resized to 48×48" in done.out


def test_votes_are_described(mien: Mien, table: Path) -> None:
    Path("votes.csv").write_text("Image name,anger,sadness\nfer2013-00000,9,1\nfer2013-00014,2,8\n")
    done = mien("dataset", "describe", table, "--votes", "votes.csv")
    assert done.code == 0, done.err
    assert "1 faces have 10.0 votes each; the favourite gets 90.0% of them" in done.out


def test_convert_split_and_check(mien: Mien, table: Path) -> None:
    done = mien("dataset", "convert", table, "--output", "folder")
    assert done.code == 0, done.err
    assert "train: 14 faces (angry 2," in done.out
    assert len(list(Path("folder/train/happy").iterdir())) == 2
    assert mien("dataset", "check", "folder").code == 0

    Path("folder/test").mkdir()
    Path("folder/public-test/sad").rename("folder/test/sad")
    Path("folder/public-test/happy").rename("folder/test/happy")
    face = next(Path("folder/train/happy").iterdir())
    Path("folder/test/sad/leak.png").write_bytes(face.read_bytes())
    found = mien("dataset", "check", "folder")
    assert found.code == 1
    assert "1 group of exact copies" in found.out
    assert "leak.png" in found.out
    assert "(across splits) (different labels)" in found.out
    assert json.loads(mien("dataset", "check", "folder", "--json").out)["sound"] is False

    done = mien("dataset", "split", table, "--output", "again.csv", "--test", 0.2, "--validation", 0)
    assert done.code == 0, done.err
    assert "test: 7 faces" in done.out
    refused = mien("dataset", "split", table, "--output", "folder")
    assert refused.code == 3
    assert "there already" in refused.err


def test_evaluate_measures_the_test_split_of_a_table(mien: Mien, table: Path) -> None:
    done = mien("evaluate", os.environ["MODEL_PATH"], table, "--json")
    assert done.code == 0, done.err
    figures = json.loads(done.out)
    assert (figures["data"], figures["faces"]) == ("fer2013.csv/test", 7)
    done = mien("evaluate", os.environ["MODEL_PATH"], table, "--json", "--split", "train")
    assert json.loads(done.out)["faces"] == 14


def test_train_takes_the_training_split(mien: Mien, table: Path) -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[15].replace("PublicTest", "Training")]) + "\n")
    quick = ("--epochs", 1, "--batch-size", 4, "--validation", 0.5, "--architecture", "mien-tiny")
    done = mien("train", table, "--test", table, "--output", "runs/x", *quick)
    assert done.code == 0, done.err
    assert "14 faces" in done.err
    assert "left out, because the test has them too (1 face): fer2013-00021" in done.err
    assert Path("runs/x/left-out.csv").read_text() == "name\nfer2013-00021\n"
    card = json.loads(Path("runs/x/x.json").read_text())
    assert "fer2013.csv/test (7 faces)" in json.dumps(card)


def test_faces_become_a_folder_of_crops(mien: Mien, place: Path) -> None:
    (place / "photos" / "happy").mkdir(parents=True)
    for path in (FACE, NO_FACE):
        (place / "photos" / "happy" / path.name).write_bytes(path.read_bytes())
    done = mien("dataset", "faces", "photos", "--out", "crops", "--detector", "haar")
    assert done.code == 0, done.err
    assert "1 faces of 2 photos: happy 1" in done.out
    assert NO_FACE.name in done.err
    [crop] = Path("crops/happy").iterdir()
    assert images.load(crop).shape == (48, 48, 3)
    (place / "photos" / "happy" / "torn.jpg").write_bytes(b"no picture")
    done = mien("dataset", "faces", "photos", "--out", "more", "--detector", "haar", "--json")
    assert done.code == 1
    assert len(json.loads(done.out)["unreadable"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("describe", "nowhere"), 3, "does not exist"),
        (("describe", "fer2013.csv", "--labels", "happy,bored"), 3, "bored"),
        (("check", "nowhere"), 3, "does not exist"),
        (("split", "fer2013.csv"), 2, "--output"),
        (("split", "fer2013.csv", "--output", "x", "--test", "0.6", "--validation", "0.6"), 3, "leave some"),
        (("faces", "nowhere", "--out", "x"), 3, "does not exist"),
        (("fetch", "ftp://host.invalid/x", "--sha256", "0" * 64, "--output", "x"), 3, "https"),
        (("fetch", "https://host.invalid/x", "--sha256", "12", "--output", "x"), 2, "64 hexadecimal"),
    ],
)
def test_wrong_use_says_why(
    mien: Mien, table: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = mien("dataset", *arguments)
    assert (done.code, says in done.err) == (code, True), done.err
    assert not Path("x").exists()

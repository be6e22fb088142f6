"""A described data set: its numbers, what deserves a look, and the page that shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.datasets import FaceDataset
from mien.datasets.overview import DataDescription, describe_splits
from mien.datasets.votes import with_votes_each
from mien.evaluation.data_report import write_data_report
from mien.testing import crops

EVIL = "<script>alert(1)</script>"
LABELS = ("angry", "happy", "sad")


def made() -> dict[str, FaceDataset]:
    """Twelve faces to train on, one of them twice, and three to test on, of which one is trained on too."""
    faces = crops(14)
    train = faces[[0, 0, *range(1, 12)]]
    test = faces[[3, 12, 13]]
    sizes = np.array([[48, 48]] * 12 + [[64, 96]], np.int32)
    return {
        "train": FaceDataset(
            train, np.r_[np.arange(12) % 2, 2], LABELS, tuple(f"{EVIL}{i}" for i in range(13)), sizes=sizes
        ),
        "test": FaceDataset(test, np.array([0, 1, 1]), LABELS, ("a", "b", "c"), source="test"),
    }


@pytest.fixture(scope="module")
def described() -> tuple[DataDescription, dict[str, FaceDataset]]:
    votes = {f"{EVIL}0": {"angry": 6, "sad": 4}, f"{EVIL}12": {"angry": 5, "sad": 5}}
    splits = with_votes_each(made(), votes)
    return describe_splits(f"data {EVIL}", splits), splits


def test_the_numbers_of_each_split(described: tuple[DataDescription, dict[str, FaceDataset]]) -> None:
    train, test = described[0].splits.values()
    assert train.counts == {"angry": 6, "happy": 6, "sad": 1}
    assert train.sizes == {(48, 48): 12, (64, 96): 1}
    assert test.sizes is None
    assert sum(train.brightness_histogram) == sum(train.contrast_histogram) == 13
    assert test.votes is None
    assert train.votes is not None
    assert train.votes.given["angry"] == {"angry": 6, "happy": 0, "sad": 4}
    assert train.votes.by_label == {"angry": 1.0, "happy": None, "sad": 1.0}
    assert [i for i, n in enumerate(train.votes.top_share_histogram) if n] == [5, 6]
    assert (train.votes.agreement, train.votes.top_share) == (1.0, pytest.approx(0.55))


def test_what_deserves_a_look_is_said(described: tuple[DataDescription, dict[str, FaceDataset]]) -> None:
    notes = "\n".join(described[0].notes())
    assert "1 picture of train also stands in test" in notes
    assert "no face of sad in test" in notes
    assert "1 face in train is an exact copy" in notes
    assert "faces in train have 2 sizes" in notes
    assert "rare" not in notes
    splits = made()
    lopsided = splits["train"].subset(np.array([0] + [1] * 10))
    assert "angry is rare" in "\n".join(describe_splits("x", {"": lopsided}).notes())


def test_a_sound_data_set_has_no_notes() -> None:
    whole = replace(made()["train"], sizes=None).subset(np.arange(1, 13))
    assert describe_splits("x", {"": whole}).notes() == ()


def test_the_page_shows_everything_and_runs_nothing(
    described: tuple[DataDescription, dict[str, FaceDataset]], tmp_path: Path
) -> None:
    for package in ("matplotlib", "jinja2"):
        pytest.importorskip(package, reason=f"needs {package}, of the report extra")
    page = write_data_report(tmp_path / "new", *described)
    text = page.read_text(encoding="utf-8")
    assert EVIL not in text
    assert "&lt;script&gt;" in text
    names = {path.stem for path in page.parent.glob("*.png") if not path.stem.endswith("-dark")}
    assert names == {
        *("class-distribution", "sizes", "brightness", "contrast", "brightness-by-label"),
        *("vote-agreement", "votes-train", "samples-train", "samples-test"),
    }
    assert text.count("<img ") == text.count("<details>") == len(names)
    assert text.count("src=") == text.count('src="data:image/svg+xml;base64,')
    assert "One picture" not in text
    assert "1 picture of train also stands in test" in text
    found = json.loads((page.parent / "description.json").read_text(encoding="utf-8"))
    assert found["shared"] == [{"splits": ["train", "test"], "faces": 1}]
    assert found["splits"][0]["sizes"] == {"48x48": 12, "64x96": 1}

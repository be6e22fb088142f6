"""Cross-validation: each face measured once by a network that never saw it, and resumed like any run."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch, of the train extra")

from small_faces import RECIPE, small_faces

from mien.core.errors import DatasetError, OptionError, TrainingError
from mien.evaluation.folds import FoldResults
from mien.training.checkpoints import load_checkpoint
from mien.training.crossval import crossval
from mien.training.run_folder import read_facts


class StopHereError(Exception):
    """Ends a cross-validation where a test wants it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FoldResults]:
    folder = tmp_path_factory.mktemp("crossval") / "whole"
    return folder, crossval(small_faces(), folder, RECIPE, 3)


def test_every_face_is_measured_once_and_in_no_training_part(whole: tuple[Path, FoldResults]) -> None:
    folder, results = whole
    assert sorted(np.concatenate(results.indices)) == list(range(60))
    for fold, evaluation in enumerate(results.evaluations, 1):
        facts = read_facts(folder / f"fold-{fold}")
        assert facts["faces"] + facts["validation_faces"] + len(evaluation.true) == 60
    rows = list(csv.DictReader((folder / "predictions.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == list(small_faces().names)
    assert {row["fold"] for row in rows} == {"1", "2", "3"}
    right = sum(row["true"] == row["predicted"] for row in rows)
    pooled = json.loads((folder / "crossval.json").read_text())["pooled"]
    assert pooled["accuracy"]["value"] == pytest.approx(right / 60)
    assert pooled["accuracy"]["low"] < right / 60 < pooled["accuracy"]["high"]
    assert 0.7 < right / 60 < 1  # it learns what can be learnt


def test_mean_and_deviation_are_those_of_the_folds(whole: tuple[Path, FoldResults]) -> None:
    folder, results = whole
    accuracies = [float(evaluation.right.mean()) for evaluation in results.evaluations]
    figures = json.loads((folder / "crossval.json").read_text())["figures"]
    assert figures["accuracy"] == {
        "mean": pytest.approx(fmean(accuracies)),
        "std": pytest.approx(stdev(accuracies)),
    }
    rows = list(csv.DictReader((folder / "crossval.csv").read_text().splitlines()))
    assert [row["fold"] for row in rows] == ["1", "2", "3", "mean", "std"]
    assert [float(row["accuracy"]) for row in rows[:3]] == pytest.approx(accuracies)
    assert fmean(float(row["f1_sad"]) for row in rows[:3]) == pytest.approx(float(rows[3]["f1_sad"]))


def test_the_held_out_faces_choose_nothing(whole: tuple[Path, FoldResults], tmp_path: Path) -> None:
    folder, results = whole
    data = small_faces()
    images = data.images.copy()
    images[results.indices[0]] = 255 - images[results.indices[0]]

    def stop(done: FoldResults) -> None:
        raise StopHereError

    with pytest.raises(StopHereError):
        crossval(replace(data, images=images), tmp_path / "other", RECIPE, 3, on_fold=stop)
    one, other = folder / "fold-1", tmp_path / "other" / "fold-1"
    weights = [load_checkpoint(place / "best.safetensors")[0] for place in (one, other)]
    assert weights[0].keys() == weights[1].keys()
    assert all(weights[0][name].equal(weights[1][name]) for name in weights[0])
    cards = [json.loads((place / "fold-1.json").read_text()) for place in (one, other)]
    assert cards[0]["temperature"] == cards[1]["temperature"]
    assert cards[0]["threshold"] == cards[1]["threshold"]
    assert cards[0]["metrics"] != cards[1]["metrics"]


def test_a_stopped_one_goes_on_and_ends_the_same(whole: tuple[Path, FoldResults], tmp_path: Path) -> None:
    place = tmp_path / "cut"

    def stop(fold: int, epoch: int, step: int, steps: int) -> None:
        if (fold, epoch, step) == (2, 1, 2):
            raise StopHereError

    with pytest.raises(StopHereError):
        crossval(small_faces(), place, RECIPE, 3, on_step=stop)
    assert json.loads((place / "crossval.json").read_text())["done"] == 1
    steps: list[tuple[int, ...]] = []
    crossval(small_faces(), place, RECIPE, 3, on_step=lambda *step: steps.append(step))
    assert steps[0] == (2, 1, 1, steps[0][3])  # fold 1 is done, fold 2 stood after its first epoch
    for name in ("crossval.json", "crossval.csv", "predictions.csv"):
        assert (place / name).read_bytes() == (whole[0] / name).read_bytes()


def test_another_cross_validation_in_the_folder_is_refused(whole: tuple[Path, FoldResults]) -> None:
    folder, _ = whole
    before = (folder / "crossval.json").read_bytes()
    with pytest.raises(TrainingError, match="another number_of_folds"):
        crossval(small_faces(), folder, RECIPE, 4)
    with pytest.raises(TrainingError, match="another config"):
        crossval(small_faces(), folder, replace(RECIPE, epochs=4), 3)
    with pytest.raises(TrainingError, match="another data_digest"):
        crossval(small_faces(58), folder, RECIPE, 3)
    assert (folder / "crossval.json").read_bytes() == before


@pytest.mark.parametrize("content", ["", "[]", '{"faces": 60}'])
def test_a_damaged_result_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "crossval.json").write_text(content)
    with pytest.raises(TrainingError, match="cannot be used"):
        crossval(small_faces(), tmp_path, RECIPE, 3)


def test_what_cannot_be_validated_is_known_before_the_first_epoch(tmp_path: Path) -> None:
    few = small_faces().subset(np.r_[np.arange(0, 60, 2), [1, 3]])
    with pytest.raises(DatasetError, match="3 folds need 3"):
        crossval(few, tmp_path / "x", RECIPE, 3)
    with pytest.raises(DatasetError, match="a split needs two"):  # no face is left to validate on
        crossval(few, tmp_path / "x", RECIPE, 2)
    with pytest.raises(OptionError, match="not 1"):
        crossval(small_faces(), tmp_path / "x", RECIPE, 1)
    with pytest.raises(TrainingError, match="less than one batch of 64"):
        crossval(small_faces(21), tmp_path / "x", replace(RECIPE, batch_size=64), 3)
    assert not (tmp_path / "x").exists()


def test_it_is_for_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "x"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(variable, value)
    with pytest.raises(OptionError, match="without torchrun"):
        crossval(small_faces(), tmp_path / "x", RECIPE, 3)
    assert not (tmp_path / "x").exists()

"""A validation split of the data's own chooses epoch, temperature and threshold; none of it is trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch, of the train extra")

from small_faces import RECIPE, small_faces

import mien
from mien.core.errors import DatasetError, TrainingError
from mien.datasets import FaceDataset, load_training, with_validation
from mien.datasets.write import write_folder
from mien.training.checkpoints import load_checkpoint
from mien.training.crossval import crossval
from mien.training.loop import train
from mien.training.run_folder import read_facts
from mien.training.split import split_data
from mien.training.tune import tune


def parts() -> tuple[FaceDataset, FaceDataset]:
    data = small_faces(80)
    return data.subset(np.arange(60)), data.subset(np.arange(60, 80))


def test_all_of_the_one_is_trained_on_and_all_of_the_other_chosen_on(tmp_path: Path) -> None:
    data, validation = parts()
    split = split_data(with_validation(data, validation), RECIPE)
    assert split.train.tolist() == list(range(60))
    assert split.validation.tolist() == list(range(60, 80))


def test_a_picture_of_both_is_not_trained_on() -> None:
    data, validation = parts()
    images = data.images.copy()
    images[7] = validation.images[3]
    split = split_data(with_validation(replace(data, images=images), validation), RECIPE)
    assert sorted({*range(60)} - {*split.train.tolist()}) == [7]


def test_the_splits_of_a_folder_and_those_given_to_fit_are_the_same_run(tmp_path: Path) -> None:
    data, validation = parts()
    write_folder({"train": data, "validation": validation, "test": small_faces(8)}, tmp_path / "faces")
    read = load_training(tmp_path / "faces")
    assert (len(read), read.source) == (80, "faces/train")
    assert read.apart is not None
    assert read.apart.sum() == 20
    network = mien.create_model("small_faces:Small", data.labels)
    run = mien.fit(
        network,
        mien.load_dataset(tmp_path / "faces", "train"),
        tmp_path / "run",
        config=RECIPE,
        validation_data=mien.load_dataset(tmp_path / "faces", "validation"),
    )
    facts = read_facts(tmp_path / "run")
    assert (facts["faces"], facts["validation_faces"], facts["own_validation"]) == (60, 20, True)
    assert train(read, tmp_path / "run", RECIPE) == list(run.history)  # the same run, finished
    made = mien.export(run, tmp_path / "one")
    again = mien.export(
        tmp_path / "run",
        tmp_path / "two",
        name="run",
        data=mien.load_dataset(tmp_path / "faces", "train"),
        validation_data=mien.load_dataset(tmp_path / "faces", "validation"),
        architecture="small_faces:Small",
    )
    assert made.path.read_bytes() == again.path.read_bytes()
    assert made.card.training["validation_faces"] == made.parity.faces == 20


def test_a_run_goes_on_with_the_same_bits_and_not_with_another_validation_split(tmp_path: Path) -> None:
    data, validation = parts()
    both = with_validation(data, validation)
    train(both, tmp_path / "whole", RECIPE)

    class StopError(Exception):
        pass

    def stop(epoch: int, step: int, steps: int) -> None:
        if (epoch, step) == (1, 2):
            raise StopError

    with pytest.raises(StopError):
        train(both, tmp_path / "cut", RECIPE, on_step=stop)
    for other in (data, with_validation(data, validation.subset(np.arange(19)))):
        with pytest.raises(TrainingError, match="other faces"):
            train(other, tmp_path / "cut", RECIPE)
    train(both, tmp_path / "cut", RECIPE)
    weights = [load_checkpoint(tmp_path / name / "best.safetensors")[0] for name in ("whole", "cut")]
    assert all(weights[0][name].equal(weights[1][name]) for name in weights[0])


def test_what_cannot_be_chosen_on_or_trained_on_is_said() -> None:
    data, validation = parts()
    with pytest.raises(DatasetError, match="no face to choose on"):
        split_data(replace(data, apart=np.zeros(60, bool)), RECIPE)
    with pytest.raises(DatasetError, match="no face of happy, sad is left"):
        split_data(replace(data, apart=np.ones(60, bool)), RECIPE)
    with pytest.raises(DatasetError, match="differ in size: 16×16 and 8×16"):
        with_validation(data, replace(validation, images=validation.images[:, :, :8]))
    with pytest.raises(DatasetError, match="have the labels"):
        with_validation(data, replace(validation, labels=("angry", "sad")))


def test_crossval_and_a_search_know_it(tmp_path: Path) -> None:
    both = with_validation(*parts())
    results = crossval(both, tmp_path / "cv", replace(RECIPE, epochs=1), 2)
    assert sum(len(evaluation.true) for evaluation in results.evaluations) == 80
    pytest.importorskip("optuna", reason="needs optuna, of the train extra")
    from mien.training.search_space import parse_search

    space = parse_search(["batch_size=4,8"], RECIPE)
    assert tune(both, tmp_path / "t", replace(RECIPE, epochs=1), space, 1)
    assert read_facts(tmp_path / "t" / "trial-001")["validation_faces"] == 20

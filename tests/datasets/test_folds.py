"""Folds: every face once, every label's share, copies and persons together, the same every time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.core.errors import DatasetError, OptionError
from mien.datasets import FaceDataset, fold_numbers, near_across, stratified_split


def faces(
    targets: list[int], pictures: list[int] | None = None, people: list[str] | None = None
) -> FaceDataset:
    """Noise, a picture of its own for every number in `pictures`."""
    drawn = range(len(targets)) if pictures is None else pictures
    images = [np.random.default_rng(number).integers(0, 256, (24, 24)) for number in drawn]
    return FaceDataset(
        np.array(images, np.uint8),
        np.array(targets, np.int64),
        ("happy", "sad"),
        tuple(map(str, range(len(targets)))),
        groups=None if people is None else tuple(people),
    )


@settings(max_examples=40)
@given(st.integers(5, 30), st.integers(5, 30), st.integers(2, 5), st.integers(0, 9))
def test_labels_differ_by_one_face_at_most_between_folds(happy: int, sad: int, folds: int, seed: int) -> None:
    data = faces([0] * happy + [1] * sad)
    numbers = fold_numbers(data, folds, seed)
    counts = np.array([np.bincount(numbers[data.targets == label], minlength=folds) for label in (0, 1)])
    assert counts.shape == (2, folds)
    assert (np.ptp(counts, axis=1) <= 1).all()
    assert np.ptp(counts.sum(0)) <= 1
    assert np.array_equal(numbers, fold_numbers(data, folds, seed))


def test_another_seed_deals_otherwise() -> None:
    data = faces([0, 1] * 20)
    assert not np.array_equal(fold_numbers(data, 4, 0), fold_numbers(data, 4, 1))


def test_copies_stand_in_one_fold_whatever_their_labels() -> None:
    pictures = [n // 3 for n in range(60)]
    numbers = fold_numbers(faces([n % 2 for n in range(60)], pictures), 4, 0)
    assert all(len(set(numbers[start : start + 3])) == 1 for start in range(0, 60, 3))


def test_a_person_stands_in_one_fold() -> None:
    people = [f"p{n // 6}" for n in range(60)]
    numbers = fold_numbers(faces([n % 2 for n in range(60)], people=people), 5, 0)
    assert all(len(set(numbers[start : start + 6])) == 1 for start in range(0, 60, 6))
    assert set(np.bincount(numbers)) == {12}


def test_too_few_faces_of_a_label_are_named() -> None:
    with pytest.raises(DatasetError, match="'sad' has 3 different faces; 5 folds need 5"):
        fold_numbers(faces([0] * 9 + [1] * 3), 5, 0)
    with pytest.raises(DatasetError, match="'sad' has 1 different faces"):
        fold_numbers(faces([0] * 9 + [1] * 3, [*range(9), 9, 9, 9]), 2, 0)
    with pytest.raises(DatasetError, match="has 2 different persons"):
        fold_numbers(faces([0, 1] * 6, people=["a", "a", "b", "b"] * 3), 3, 0)
    for folds in (1, 0, -2, 101):
        with pytest.raises(OptionError, match=f"not {folds}"):
            fold_numbers(faces([0, 1] * 6), folds, 0)


def test_whether_few_faces_can_be_dealt_does_not_hang_on_the_seed() -> None:
    generator = np.random.default_rng(4)
    for _ in range(
        11
    ):  # of these, the first order of dealing fails for some seeds and not for others in three
        targets = [int(n) for n in generator.integers(0, 2, 21)]
        people = [f"p{n}" for n in generator.integers(0, 7, 21)]
        if _dealt(faces(targets, people=people), 2, 0):
            assert all(_dealt(faces(targets, people=people), 2, seed) for seed in range(1, 6))


def _dealt(data: FaceDataset, folds: int, seed: int) -> bool:
    """Deal to folds whose rests can be split, as a cross-validation does; say whether that was possible."""

    def check(numbers: NDArray[np.int64]) -> None:
        for fold in range(folds):
            stratified_split(data.subset(numbers != fold), 0.2, seed)

    try:
        fold_numbers(data, folds, seed, check)
    except DatasetError:
        return False
    return True


def test_near_copies_across_folds_are_found() -> None:
    data = faces([0, 1, 0, 1], [1, 2, 3, 1])
    data.images[3] = data.images[3] // 2 + 40  # darker, and otherwise the same
    assert near_across(data, np.array([0, 0, 1, 1])).tolist() == [0, 3]
    assert near_across(data, np.array([0, 1, 1, 0])).tolist() == []

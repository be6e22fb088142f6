"""Folds for cross-validation that keep every label's share, and what looks alike across them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError, OptionError
from mien.datasets._similar import SIDE, near_pairs
from mien.datasets.dataset import FaceDataset
from mien.datasets.load import squared
from mien.datasets.splits import inseparable

MOST_FOLDS = 100


def fold_numbers(dataset: FaceDataset, folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of every face, int64 (faces,), from 0; equal seeds give equal folds.

    Every fold gets every label's share as nearly as can be. Equal pictures stand in one fold, and where
    the data set knows who is on its pictures, a person does too.

    Raises:
        OptionError: fewer than 2 folds or more than `MOST_FOLDS`.
        DatasetError: a label has too few different faces, or persons, for that many folds.
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise OptionError(f"folds have to be between 2 and {MOST_FOLDS}, not {folds}")
    groups = inseparable(dataset)
    kind = "faces" if dataset.groups is None else "persons"
    for label, name in enumerate(dataset.labels):
        if (there := len(np.unique(groups[dataset.targets == label]))) < folds:
            raise DatasetError(
                f"label {name!r} has {there} different {kind}; {folds} folds need {folds} or "
                "more of every label"
            )
    numbers = _dealt(groups, dataset.targets, len(dataset.labels), folds, seed)
    for label, name in enumerate(dataset.labels):
        if len(np.unique(numbers[dataset.targets == label])) < folds:
            raise DatasetError(f"{kind} of label {name!r} cannot be dealt to {folds} folds; ask for fewer")
    return numbers


def near_across(dataset: FaceDataset, numbers: NDArray[np.int64]) -> int:
    """Return how many faces have a near copy (other size, light or compression) in another fold."""
    small = np.stack([squared(face, SIDE) for face in dataset.images])
    pairs = near_pairs(small)
    apart = pairs[numbers[pairs[:, 0]] != numbers[pairs[:, 1]]]
    return len(np.unique(apart))


def _dealt(
    groups: NDArray[np.int64], targets: NDArray[np.int64], labels: int, folds: int, seed: int
) -> NDArray[np.int64]:
    """Deal groups, the largest first, each to the fold that has least of its labels."""
    _, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((group.max() + 1, labels))
    np.add.at(counts, (group, targets), 1)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(1), kind="stable")]
    weights = 1 / np.maximum(counts.sum(0), 1) ** 2
    held, of_group = np.zeros((folds, labels)), np.empty(len(counts), np.int64)
    for index in order:
        # What the squared shares of a fold grow by; the sum of squares is least when all are equal.
        growth = held @ (counts[index] * weights)
        fold = np.lexsort((held.sum(1), growth))[0]
        of_group[index] = fold
        held[fold] += counts[index]
    return of_group[group]

"""Folds for cross-validation that keep every label's share, and what looks alike across them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError, OptionError
from mien.datasets._similar import SIDE, near_pairs
from mien.datasets.dataset import FaceDataset
from mien.datasets.load import squared
from mien.datasets.splits import DEALS, inseparable

MOST_FOLDS = 100


def fold_numbers(
    dataset: FaceDataset,
    folds: int,
    seed: int,
    check: Callable[[NDArray[np.int64]], None] = lambda numbers: None,
) -> NDArray[np.int64]:
    """Return the fold of every face, int64 (faces,), from 0; equal seeds give equal folds.

    Every fold gets every label's share as nearly as can be. Equal pictures stand in one fold, and where
    the data set knows who is on its pictures, a person does too. As some orders of dealing what stays
    together fail where others do not, up to `DEALS` are tried.

    Args:
        dataset: the faces.
        folds: how many.
        seed: of the order.
        check: raises DatasetError for folds that will not do.

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
    generator = np.random.default_rng(seed)
    why = DatasetError("")
    for _ in range(1 if len(np.unique(groups)) == len(groups) else DEALS):
        numbers = _dealt(groups, dataset.targets, len(dataset.labels), folds, generator)
        try:
            _check_labels(dataset, numbers, folds, kind)
            check(numbers)
        except DatasetError as error:
            why = error
        else:
            return numbers
    raise why


def _check_labels(dataset: FaceDataset, numbers: NDArray[np.int64], folds: int, kind: str) -> None:
    for label, name in enumerate(dataset.labels):
        if len(np.unique(numbers[dataset.targets == label])) < folds:
            raise DatasetError(
                f"{kind} of label {name!r} cannot be dealt to {folds} folds, as some have to stay together; "
                "ask for fewer folds"
            )


def near_across(dataset: FaceDataset, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which faces have a near copy (other size, light or compression) in another fold; rising."""
    small = np.stack([squared(face, SIDE) for face in dataset.images])
    pairs = near_pairs(small)
    apart = pairs[numbers[pairs[:, 0]] != numbers[pairs[:, 1]]]
    return np.unique(apart)


def _dealt(
    groups: NDArray[np.int64],
    targets: NDArray[np.int64],
    labels: int,
    folds: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Deal groups, the largest first, each to the fold that has least of its labels."""
    _, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((group.max() + 1, labels))
    np.add.at(counts, (group, targets), 1)
    order = generator.permutation(len(counts))
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

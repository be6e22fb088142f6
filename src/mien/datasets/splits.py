"""Splits that keep every label's share, and faces that must not stand on both sides."""

from __future__ import annotations

import numpy as np

from mien.core.errors import DatasetError
from mien.datasets.dataset import FaceDataset


def stratified_split(dataset: FaceDataset, fraction: float, seed: int) -> tuple[FaceDataset, FaceDataset]:
    """Split off `fraction` of every label (at least one face); equal seeds give equal splits.

    Equal pictures stay on the same side, so that no face is both trained on and validated on.

    Returns:
        The larger rest and the split-off part, both in the original order.
    """
    if not 0.0 < fraction < 1.0:
        raise DatasetError(f"the split-off fraction has to be between 0 and 1, not {fraction}")
    generator = np.random.default_rng(seed)
    groups = _groups(dataset)
    apart = np.zeros(len(dataset), dtype=bool)
    for label, name in enumerate(dataset.labels):
        members = np.unique(groups[dataset.targets == label])
        if len(members) < 2:
            raise DatasetError(
                f"label {name!r} has {len(members)} different faces; a split needs two or more"
            )
        chosen = generator.permutation(members)[: max(1, round(fraction * len(members)))]
        apart |= np.isin(groups, chosen)
    return dataset.subset(~apart), dataset.subset(apart)


def drop_shared(dataset: FaceDataset, other: FaceDataset) -> FaceDataset:
    """Return `dataset` without the faces whose picture also stands in `other`."""
    elsewhere = {picture.tobytes() for picture in other.images}
    kept = np.array([picture.tobytes() not in elsewhere for picture in dataset.images], dtype=bool)
    return dataset if kept.all() else dataset.subset(kept)


def _groups(dataset: FaceDataset) -> np.ndarray:
    """Number the different pictures; copies of one picture get the number of the first."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(p.tobytes(), i) for i, p in enumerate(dataset.images)], dtype=np.int64)

"""The two parts of a run's data: faces to train on, and faces kept apart to choose with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError
from mien.datasets import FaceDataset
from mien.datasets.splits import picture_keys, split_mask
from mien.training.config import TrainingConfig


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which faces are trained on and which are kept apart; the pixels stay where they are, once.

    Attributes:
        data: every face of both parts.
        train: indices of the one part, int64, rising.
        validation: indices of the other.
    """

    data: FaceDataset
    train: NDArray[np.int64]
    validation: NDArray[np.int64]

    def digest(self) -> str:
        """Return the SHA-256 of the part that is trained on: labels, pixels, targets and votes."""
        return self.data.digest(self.train)

    def validation_digest(self) -> str:
        """Return the SHA-256 of the part that is kept apart."""
        return self.data.digest(self.validation)


def split_data(data: FaceDataset, config: TrainingConfig) -> Split:
    """Split a run's data as it says itself (`apart`), else as the configuration says; the same every time.

    Raises:
        DatasetError: there are too few faces for both parts.
    """
    if data.apart is not None:
        return _own_split(data, data.apart)
    apart = split_mask(data, config.validation, config.seed)
    return Split(data, np.flatnonzero(~apart), np.flatnonzero(apart))


def _own_split(data: FaceDataset, apart: NDArray[np.bool_]) -> Split:
    """Keep the data's own validation split apart, and train on no picture that stands there too."""
    if not apart.any():
        raise DatasetError(
            "the validation split holds no face to choose on: it has none of the labels, or the test has all "
            "of it too; hand over the training part alone, of which a share is then kept apart"
        )
    keys = picture_keys(data.images)
    elsewhere = {key for key, there in zip(keys, apart, strict=True) if there}
    train = np.flatnonzero([key not in elsewhere for key in keys])
    there = np.bincount(data.targets[train], minlength=len(data.labels))
    if lacking := [label for label, count in zip(data.labels, there, strict=True) if not count]:
        raise DatasetError(
            f"no face of {', '.join(lacking)} is left to train on: the training split has none, or only such "
            "as the validation split has too"
        )
    return Split(data, train, np.flatnonzero(apart))

"""The two parts of a run's data: faces to train on, and faces kept apart to choose with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.datasets import FaceDataset
from mien.datasets.splits import split_mask
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
    """Split a run's data as its configuration says; the same every time."""
    apart = split_mask(data, config.validation, config.seed)
    return Split(data, np.flatnonzero(~apart), np.flatnonzero(apart))

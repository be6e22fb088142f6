"""Which faces a cross-validation holds out in which fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.datasets import FaceDataset, fold_numbers
from mien.training.batches import Batches
from mien.training.config import TrainingConfig
from mien.training.split import split_data

RESULT = "crossval.json"
"""In the folder of a cross-validation: what is validated, and what came out."""


def dealt(data: FaceDataset, config: TrainingConfig, folds: int) -> NDArray[np.int64]:
    """Return the fold that every face is held out in, int64 (faces,), from 0; the same every time.

    Raises:
        OptionError: fewer than 2 folds.
        DatasetError: a label has too few faces for the folds and for a validation part within each.
    """

    def check(numbers: NDArray[np.int64]) -> None:
        # Too few faces are known before hours of training, not after.
        for fold in range(folds):
            Batches(split_data(data.subset(numbers != fold), config), config)

    return fold_numbers(data, folds, config.seed, check)

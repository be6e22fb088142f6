"""Labelled faces in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class FaceDataset:
    """Faces of one size with one label each.

    Attributes:
        images: uint8 grey (faces, height, width).
        targets: int64 (faces,), indices into `labels`.
        labels: names in the order of the indices.
        names: the file name or row of each face, for messages and votes.
        votes: float32 (faces, labels), how many people saw each label; a row of zeros is "no votes".
            None where the data set has no votes at all.
        source: where it came from.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    votes: NDArray[np.float32] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        faces = len(self.images)
        if self.images.ndim != 3 or self.images.dtype != np.uint8:
            raise DatasetError(f"images have to be uint8 (faces, height, width), not {self.images.shape}")
        if len(self.targets) != faces or len(self.names) != faces:
            raise DatasetError(f"{faces} images with {len(self.targets)} labels and {len(self.names)} names")
        if faces and (self.targets.min() < 0 or self.targets.max() >= len(self.labels)):
            raise DatasetError(f"a target is outside the {len(self.labels)} labels")
        if self.votes is not None and self.votes.shape != (faces, len(self.labels)):
            raise DatasetError(f"votes have to be {(faces, len(self.labels))}, not {self.votes.shape}")

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, indices: NDArray[Any]) -> FaceDataset:
        """Return the faces at `indices` (integers or a mask), in that order."""
        where = np.flatnonzero(indices) if indices.dtype == bool else indices
        return replace(
            self,
            images=self.images[where],
            targets=self.targets[where],
            names=tuple(self.names[i] for i in where),
            votes=None if self.votes is None else self.votes[where],
        )

    def counts(self) -> dict[str, int]:
        """Return how many faces each label has."""
        numbers = np.bincount(self.targets, minlength=len(self.labels))
        return {label: int(n) for label, n in zip(self.labels, numbers, strict=True)}

    def digest(self) -> str:
        """Return the SHA-256 of labels, images, targets and votes."""
        digest = hashlib.sha256(repr(self.labels).encode())
        for array in (self.images, self.targets, self.votes):
            if array is not None:
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

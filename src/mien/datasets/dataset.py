"""Labelled faces in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError
from mien.core.given import given_kind, given_labels

_BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class FaceDataset:
    """Faces of one size with one label each.

    Attributes:
        images: uint8 grey (faces, height, width).
        targets: int64 (faces,), indices into `labels`; -1 throughout where there are no labels.
        labels: names in the order of the indices; none for faces whose emotion is not known.
        names: the file name or row of each face, for messages and votes.
        votes: float32 (faces, labels), how many people saw each label; a row of zeros is "no votes".
            None where the data set has no votes at all.
        source: where it came from.
        groups: who is on each picture (CK+ and JAFFE say so), so that no person stands in two splits;
            None where that is not known.
        sizes: int32 (faces, 2), width and height of each picture before it was resized; None where that
            is not known.
        folders: of each picture, below the data set's own ("test/happy"); None where they are no files.
        apart: bool (faces,), which faces the data set itself keeps apart for choosing, its validation split;
            None where it leaves that to whoever trains. See `with_validation`.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    votes: NDArray[np.float32] | None = None
    source: str = ""
    groups: tuple[str, ...] | None = None
    sizes: NDArray[np.int32] | None = None
    folders: tuple[str, ...] | None = None
    apart: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        faces = len(self.images)
        if self.images.ndim != 3 or self.images.dtype != np.uint8:
            raise DatasetError(f"images have to be uint8 (faces, height, width), not {self.images.shape}")
        if len(self.targets) != faces or len(self.names) != faces:
            raise DatasetError(f"{faces} images with {len(self.targets)} labels and {len(self.names)} names")
        least = 0 if self.labels else -1
        if faces and (self.targets.min() < least or self.targets.max() >= len(self.labels)):
            raise DatasetError(f"a target is outside the {len(self.labels)} labels")
        if self.votes is not None and self.votes.shape != (faces, len(self.labels)):
            raise DatasetError(f"votes have to be {(faces, len(self.labels))}, not {self.votes.shape}")
        if self.groups is not None and len(self.groups) != faces:
            raise DatasetError(f"{faces} images with {len(self.groups)} groups")
        if self.folders is not None and len(self.folders) != faces:
            raise DatasetError(f"{faces} images with {len(self.folders)} folders")
        if self.sizes is not None and self.sizes.shape != (faces, 2):
            raise DatasetError(f"sizes have to be {(faces, 2)}, not {self.sizes.shape}")
        if self.apart is not None and (self.apart.shape != (faces,) or self.apart.dtype != bool):
            raise DatasetError(f"apart has to be bool {(faces,)}, not {self.apart.dtype} {self.apart.shape}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def places(self) -> tuple[str, ...]:
        """Where each face is, below the data set's folder ("test/happy/1.png"); of a row, its name."""
        if self.folders is None:
            return self.names
        pairs = zip(self.folders, self.names, strict=True)
        return tuple(f"{folder}/{name}" if folder else name for folder, name in pairs)

    def subset(self, indices: NDArray[Any], *, in_place: bool = False) -> FaceDataset:
        """Return the faces at `indices` (integers or a mask), in that order.

        Args:
            indices: of the faces; integers have to rise where `in_place` is true.
            in_place: move the pixels to the front of the array that they are in, so that a large data set
                never stands in memory twice. This one's pixels are lost by it.
        """
        where = np.flatnonzero(indices) if indices.dtype == bool else indices
        return replace(
            self,
            images=_moved(self.images, where) if in_place else self.images[where],
            targets=self.targets[where],
            names=tuple(self.names[i] for i in where),
            votes=None if self.votes is None else self.votes[where],
            groups=None if self.groups is None else tuple(self.groups[i] for i in where),
            sizes=None if self.sizes is None else self.sizes[where],
            folders=None if self.folders is None else tuple(self.folders[i] for i in where),
            apart=None if self.apart is None else self.apart[where],
        )

    def with_labels(self, labels: Sequence[str], *, in_place: bool = False) -> FaceDataset:
        """Return the faces of these labels only, numbered in this order; the order of the faces stays.

        Args:
            labels: two or more of the data set's; other spellings of known emotions are understood.
            in_place: as in `subset`.

        Raises:
            DatasetError: a label is not in the data set or is given twice, or fewer than two are given.
            OptionError: `labels` are no names.
        """
        wanted = given_labels(labels)
        if absent := [label for label in wanted if label not in self.labels]:
            raise DatasetError(
                f"the data set has no label {', '.join(absent)}; it has {', '.join(self.labels)}"
            )
        if len(wanted) < 2 or len(set(wanted)) < len(wanted):
            raise DatasetError(f"labels have to be two or more different ones, not {', '.join(wanted)!r}")
        if wanted == self.labels:
            return self
        columns = [self.labels.index(label) for label in wanted]
        number = np.full(len(self.labels), -1, dtype=np.int64)
        number[columns] = np.arange(len(wanted))
        kept = self.subset(number[self.targets] >= 0, in_place=in_place)
        return replace(
            kept,
            labels=wanted,
            targets=number[kept.targets],
            votes=None if kept.votes is None else kept.votes[:, columns],
        )

    def counts(self, indices: NDArray[Any] | None = None) -> dict[str, int]:
        """Return how many faces each label has, of the faces at `indices` (integers or a mask) or of all."""
        if not self.labels:
            return {}
        targets = self.targets if indices is None else self.targets[indices]
        numbers = np.bincount(targets, minlength=len(self.labels))
        return {label: int(n) for label, n in zip(self.labels, numbers, strict=True)}

    def digest(self, indices: NDArray[Any] | None = None) -> str:
        """Return the SHA-256 of labels, images, targets, votes and `apart`, at `indices` or of all faces."""
        where = np.arange(len(self)) if indices is None else indices
        digest = hashlib.sha256(repr(self.labels).encode())
        for array in (self.images, self.targets, self.votes, self.apart):
            if array is not None:
                for block in _blocks(where):
                    digest.update(np.ascontiguousarray(array[block]).data)
        return digest.hexdigest()


def _blocks(where: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut indices into parts whose pixels are a small copy each."""
    return [where[start : start + _BLOCK] for start in range(0, len(where), _BLOCK)]


def _moved(images: NDArray[np.uint8], where: NDArray[Any]) -> NDArray[np.uint8]:
    """Move the images at `where` to the front; as they only move forward, none is lost before its turn."""
    done = 0
    for block in _blocks(where):
        images[done : done + len(block)] = images[block]
        done += len(block)
    return images[:done]


def given_faces(name: str, value: Any) -> FaceDataset:
    """Return `value` if it is a data set.

    Args:
        name: of the argument.
        value: that was given.

    Raises:
        OptionError: it is something else, such as the path of one.
    """
    return given_kind(name, value, FaceDataset, 'faces, as mien.load_dataset("faces/") returns them')

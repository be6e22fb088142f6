"""Splits that keep every label's share, and faces that must not stand on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError
from mien.datasets.dataset import FaceDataset

DEALS = 30
"""Orders in which what has to stay together is dealt before it counts as impossible: some orders fail."""


def stratified_split(dataset: FaceDataset, fraction: float, seed: int) -> tuple[FaceDataset, FaceDataset]:
    """Split off `fraction` of every label (at least one face); equal seeds give equal splits.

    Equal pictures stay on the same side, so that no face is both trained on and validated on. Where the
    data set knows who is on its pictures, a person stays on one side too; the shares of the labels are
    then kept as nearly as whole persons allow.

    Returns:
        The larger rest and the split-off part, both in the original order.
    """
    apart = split_mask(dataset, fraction, seed)
    return dataset.subset(~apart), dataset.subset(apart)


def with_validation(dataset: FaceDataset, validation: FaceDataset) -> FaceDataset:
    """Return the faces of both, those of `validation` marked as kept apart for choosing (`apart`).

    Raises:
        DatasetError: the labels or the sizes of the faces differ.
    """
    if dataset.images.shape[1:] != validation.images.shape[1:]:
        sizes = (f"{faces.images.shape[2]}×{faces.images.shape[1]}" for faces in (dataset, validation))
        raise DatasetError(f"faces to train on and to validate on differ in size: {' and '.join(sizes)}")
    if dataset.labels != validation.labels:
        raise DatasetError(
            f"faces to train on have the labels {', '.join(dataset.labels)}, and those to validate on "
            f"{', '.join(validation.labels) or 'none'}"
        )
    parts = (dataset, validation)
    return FaceDataset(
        images=np.concatenate([part.images for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        labels=dataset.labels,
        names=(*dataset.names, *validation.names),
        votes=_joined_votes(parts),
        source=dataset.source,
        groups=_joined_words([part.groups for part in parts], parts),
        folders=_joined_words([part.folders for part in parts], parts),
        apart=np.arange(len(dataset) + len(validation)) >= len(dataset),
    )


def _joined_votes(parts: Sequence[FaceDataset]) -> NDArray[np.float32] | None:
    if all(part.votes is None for part in parts):
        return None
    none = [np.zeros((len(part), len(part.labels)), np.float32) for part in parts]
    votes = [part.votes for part in parts]
    return np.concatenate([zero if its is None else its for its, zero in zip(votes, none, strict=True)])


def _joined_words(
    words: Sequence[tuple[str, ...] | None], parts: Sequence[FaceDataset]
) -> tuple[str, ...] | None:
    if all(its is None for its in words):
        return None
    return tuple(word for its, part in zip(words, parts, strict=True) for word in its or ("",) * len(part))


def split_mask(dataset: FaceDataset, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return which faces `stratified_split` splits off, bool (faces,)."""
    if not 0.0 < fraction < 1.0:
        raise DatasetError(f"the split-off fraction has to be between 0 and 1, not {fraction}")
    generator = np.random.default_rng(seed)
    if dataset.groups is not None:
        return _mask_by_person(dataset, fraction, generator)
    groups = _picture_groups(dataset)
    apart = np.zeros(len(dataset), dtype=bool)
    for label, name in enumerate(dataset.labels):
        members = np.unique(groups[dataset.targets == label])
        if len(members) < 2:
            raise DatasetError(
                f"label {name!r} has {len(members)} different faces; a split needs two or more"
            )
        chosen = generator.permutation(members)[: max(1, round(fraction * len(members)))]
        apart |= np.isin(groups, chosen)
    return apart


def drop_shared(dataset: FaceDataset, other: FaceDataset, *, in_place: bool = False) -> FaceDataset:
    """Return `dataset` without the faces whose picture also stands in `other`; `in_place` as in `subset`."""
    shared = shared_mask(dataset, other)
    return dataset.subset(~shared, in_place=in_place) if shared.any() else dataset


def shared_mask(dataset: FaceDataset, other: FaceDataset) -> NDArray[np.bool_]:
    """Return which faces of `dataset` have a picture that also stands in `other`, bool (faces,)."""
    elsewhere = set(picture_keys(other.images))
    return np.array([key in elsewhere for key in picture_keys(dataset.images)], dtype=bool)


def picture_keys(images: NDArray[np.uint8]) -> list[bytes]:
    """Return 16 bytes for each picture (faces, height, width), equal for equal pictures of one size."""
    return [blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest() for picture in images]


def inseparable(dataset: FaceDataset) -> NDArray[np.int64]:
    """Return a number for every face, int64 (faces,), equal for those that no split may part.

    Those are copies of one picture and, where the data set knows them, faces of one person.
    """
    return _picture_groups(dataset) if dataset.groups is None else _person_groups(dataset)


def _picture_groups(dataset: FaceDataset) -> NDArray[np.int64]:
    """Number the different pictures; copies of one picture get the number of the first."""
    first: dict[bytes, int] = {}
    keys = picture_keys(dataset.images)
    return np.array([first.setdefault(key, i) for i, key in enumerate(keys)], dtype=np.int64)


def _mask_by_person(
    dataset: FaceDataset, fraction: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    groups = _person_groups(dataset)
    counts = np.zeros((groups.max() + 1, len(dataset.labels)))
    np.add.at(counts, (groups, dataset.targets), 1)
    total = counts.sum(0)
    for _ in range(DEALS):
        apart = np.isin(groups, _persons(counts, total, fraction, generator))
        sides = {"rest": ~apart, "split-off part": apart}
        lacking = [(side, lack) for side, faces in sides.items() if (lack := _lacks(dataset, faces, total))]
        if not lacking:
            return apart
    side, labels = lacking[0]
    persons = (counts > 0).sum(0).tolist()
    named = ", ".join(
        f"{dataset.labels[label]!r} ({persons[label]} person{'s' * (persons[label] != 1)})"
        for label in labels
    )
    raise DatasetError(
        f"no split by persons puts faces of every label into the {side}: too few persons show {named}; add "
        "faces of others who do, leave the label out, or split off no part"
    )


def _lacks(dataset: FaceDataset, faces: NDArray[np.bool_], total: NDArray[np.float64]) -> list[int]:
    """Return the labels that the data has and these faces have not."""
    there = np.bincount(dataset.targets[faces], minlength=len(total))
    return np.flatnonzero((total > 0) & (there == 0)).tolist()


def _persons(
    counts: NDArray[np.float64], total: NDArray[np.float64], fraction: float, generator: np.random.Generator
) -> list[int]:
    """Take persons, those with most faces first, where that brings the labels nearer to their share."""
    shares = counts / np.maximum(total, 1)
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(1), kind="stable")]
    missing, chosen = np.where(total > 0, fraction, 0.0), []
    for group in order:
        left = missing - shares[group]
        if (left**2).sum() < (missing**2).sum():
            missing = left
            chosen.append(group)
    return chosen


def _person_groups(dataset: FaceDataset) -> NDArray[np.int64]:
    """Number the sets of faces that cannot be parted: of one person, or copies of one picture."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pictures = _picture_groups(dataset)
    first: dict[str, int] = {}
    people = dataset.groups or ()
    leaders = [first.setdefault(who, i) if who else i for i, who in enumerate(people)]
    faces = np.arange(len(dataset))
    ends = np.concatenate([pictures, np.array(leaders, dtype=np.int64)])
    starts = np.concatenate([faces, faces])
    links = coo_array((np.ones(len(ends)), (starts, ends)), shape=(len(dataset), len(dataset)))
    _, numbers = connected_components(links, directed=False)
    return np.asarray(numbers, np.int64)

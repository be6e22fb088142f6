"""What is in a data set, as plain numbers; figures draw them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datasets.dataset import FaceDataset
from mien.datasets.splits import picture_keys

_CHUNK = 1024
BRIGHTNESS_BINS = 32
SHARE_BINS = 10


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a number is spread over faces: mean, standard deviation, and the 5th, 50th and 95th percentile."""

    mean: float
    std: float
    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class VoteAgreement:
    """What the crowd says of the labels.

    Attributes:
        faces: with votes for at least one of the labels.
        votes: on such a face, in the mean, for any of the labels.
        agreement: share of these faces whose label has most votes (or as many as any other).
        top_share: share of its votes that the favourite gets, in the mean.
        top_share_histogram: faces in each of 10 equally wide bins of that share, from 0 to 1.
        by_label: agreement of the faces of each label; None where none has votes.
        given: for each label, how many votes its faces got for each label.
    """

    faces: int
    votes: float
    agreement: float
    top_share: float
    top_share_histogram: tuple[int, ...]
    by_label: dict[str, float | None]
    given: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Description:
    """The numbers of a data set.

    Attributes:
        source: its name.
        faces: how many.
        width: of every face, in pixels.
        height: of every face, in pixels.
        sizes: how many faces were (width, height) before they were resized, the most frequent first; None
            where that is not known.
        counts: faces of each label, in label order.
        imbalance: the most frequent label's faces over the rarest one's.
        people: how many different ones, None where that is not known.
        copies: faces that are exact copies of one before them.
        brightness: mean grey value of a face, in [0, 255], over all faces.
        contrast: standard deviation of the grey values in a face, over all faces.
        brightness_by_label: the same for each label.
        brightness_histogram: faces in each of 32 equally wide bins of [0, 256).
        contrast_histogram: faces in each of 32 equally wide bins of [0, 128).
        votes: None where there are none.
    """

    source: str
    faces: int
    width: int
    height: int
    sizes: dict[tuple[int, int], int] | None
    counts: dict[str, int]
    imbalance: float | None
    people: int | None
    copies: int
    brightness: Distribution
    contrast: Distribution
    brightness_by_label: dict[str, Distribution]
    brightness_histogram: tuple[int, ...]
    contrast_histogram: tuple[int, ...]
    votes: VoteAgreement | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, for JSON."""
        sizes = None if self.sizes is None else {f"{w}x{h}": n for (w, h), n in self.sizes.items()}
        return {**asdict(self), "sizes": sizes}


def describe(dataset: FaceDataset) -> Description:
    """Return the numbers of a data set with at least one face."""
    brightness, contrast = _light(dataset.images)
    counts = dataset.counts()
    present = [n for n in counts.values() if n]
    people = {who for who in dataset.groups or () if who}
    height, width = dataset.images.shape[1:]
    return Description(
        source=dataset.source,
        faces=len(dataset),
        width=width,
        height=height,
        sizes=_sizes(dataset),
        counts=counts,
        imbalance=max(present) / min(present) if present else None,
        people=len(people) if people else None,
        copies=len(dataset) - len(set(picture_keys(dataset.images))),
        brightness=_spread(brightness),
        contrast=_spread(contrast),
        brightness_by_label={
            label: _spread(brightness[dataset.targets == i])
            for i, label in enumerate(dataset.labels)
            if counts[label]
        },
        brightness_histogram=_histogram(brightness, BRIGHTNESS_BINS, 256),
        contrast_histogram=_histogram(contrast, BRIGHTNESS_BINS, 128),
        votes=_votes(dataset),
    )


def sample_indices(dataset: FaceDataset, per_label: int = 8, seed: int = 0) -> dict[str, NDArray[np.int64]]:
    """Choose up to `per_label` faces of each label at random, for a sheet: `{label: indices}`, sorted."""
    generator = np.random.default_rng(seed)
    members = {label: np.flatnonzero(dataset.targets == i) for i, label in enumerate(dataset.labels)}
    return {label: np.sort(generator.permutation(where)[:per_label]) for label, where in members.items()}


def _light(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each face's pixels; in pieces, because floats are eight times as large."""
    means, deviations = [np.empty(0)], [np.empty(0)]
    for start in range(0, len(images), _CHUNK):
        pixels = images[start : start + _CHUNK].reshape(len(images[start : start + _CHUNK]), -1)
        means.append(pixels.mean(1))
        deviations.append(pixels.std(1))
    return np.concatenate(means), np.concatenate(deviations)


def _sizes(dataset: FaceDataset) -> dict[tuple[int, int], int] | None:
    if dataset.sizes is None:
        return None
    found, counts = np.unique(dataset.sizes, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {(int(found[i][0]), int(found[i][1])): int(counts[i]) for i in order}


def _histogram(values: NDArray[np.floating[Any]], bins: int, end: float) -> tuple[int, ...]:
    return tuple(int(n) for n in np.histogram(values, bins, (0, end))[0])


def _spread(values: NDArray[np.float64]) -> Distribution:
    low, median, high = (float(v) for v in np.percentile(values, (5, 50, 95)))
    return Distribution(float(values.mean()), float(values.std()), low, median, high)


def _votes(dataset: FaceDataset) -> VoteAgreement | None:
    if dataset.votes is None:
        return None
    voted = dataset.votes.sum(1) > 0
    if not voted.any():
        return None
    votes, targets = dataset.votes[voted], dataset.targets[voted]
    agrees = votes[np.arange(len(votes)), targets] == votes.max(1)
    by_label = {
        label: float(agrees[targets == i].mean()) if (targets == i).any() else None
        for i, label in enumerate(dataset.labels)
    }
    given = {
        label: {to: int(n) for to, n in zip(dataset.labels, votes[targets == i].sum(0), strict=True)}
        for i, label in enumerate(dataset.labels)
    }
    top_share = votes.max(1) / votes.sum(1)
    return VoteAgreement(
        faces=len(votes),
        votes=float(votes.sum(1).mean()),
        agreement=float(agrees.mean()),
        top_share=float(top_share.mean()),
        top_share_histogram=_histogram(top_share, SHARE_BINS, 1),
        by_label=by_label,
        given=given,
    )

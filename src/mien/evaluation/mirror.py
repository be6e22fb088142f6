"""Whether a model reads a face and its mirror image alike, as people do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mien.datasets import FaceDataset
from mien.evaluation import metrics
from mien.evaluation.predict import Progress, check_faces, logits_of
from mien.pipeline.classify import mirrored, softmax
from mien.zoo.registry import Model


@dataclass(frozen=True, slots=True)
class MirrorResult:
    """How faces and their mirror images compare.

    Attributes:
        faces: how many were read twice.
        share, low, high: of them, the share whose top label is the same both times; Wilson 95 % interval.
        moved_median, moved_95: half of the faces move no probability by more than the first, 95 % of them
            by no more than the second.
    """

    faces: int
    share: float
    low: float
    high: float
    moved_median: float
    moved_95: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return asdict(self)


def measure_mirror(model: Model, data: FaceDataset, progress: Progress | None = None) -> MirrorResult:
    """Read faces and their mirror images with `model`, and compare.

    Raises:
        DatasetError: no faces, or faces of another size than the model reads.
    """
    check_faces(data, model.card)
    temperature = model.card.temperature
    straight = softmax(logits_of(model, data.images), temperature)
    turned = softmax(logits_of(model, mirrored(data.images), progress), temperature)
    share = metrics.accuracy(straight.argmax(1), turned.argmax(1))
    moved = np.abs(straight - turned).max(1)
    low, high = metrics.wilson_interval(share, len(data))
    return MirrorResult(len(data), share, low, high, float(np.median(moved)), float(np.quantile(moved, 0.95)))

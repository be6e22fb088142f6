"""Measure a classifier on labelled faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError
from mien.datasets import FaceDataset
from mien.evaluation import calibration, metrics
from mien.pipeline.classify import classify
from mien.zoo.card import Card, Metric
from mien.zoo.registry import Model

PROTOCOL = "one forward pass, no test-time augmentation"
_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a classifier says about labelled faces, in card order.

    Attributes:
        labels: of the card.
        probabilities: calibrated, float64 (faces, labels).
        true: int64 (faces,), indices into `labels`.
        threshold: of the card, below which a face is uncertain.
        source: the data set.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    true: NDArray[np.int64]
    threshold: float
    source: str

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The top label of every face, int64 (faces,)."""
        top: NDArray[np.int64] = self.probabilities.argmax(1)
        return top

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (labels, labels): true labels as rows, predicted labels as columns."""
        return metrics.confusion_matrix(self.predicted, self.true, len(self.labels))

    def metrics(self) -> tuple[Metric, ...]:
        """Return accuracy, macro-F1, calibration error and the effect of abstaining, with 95 % intervals."""
        faces, confusion = len(self.true), self.confusion
        data = f"{self.source} ({faces} faces)"
        share = metrics.accuracy(self.predicted, self.true)
        answered = self.probabilities.max(1) >= self.threshold
        right = self.predicted == self.true
        answered_share = float(right[answered].mean()) if answered.any() else 0.0

        def metric(name: str, value: float, interval: tuple[float, float] | None, how: str) -> Metric:
            low, high = interval or (None, None)
            return Metric(name, value, data, how, low, high)

        return (
            metric("accuracy", share, metrics.wilson_interval(share, faces), f"{PROTOCOL}; Wilson interval"),
            metric(
                "macro_f1",
                metrics.macro_f1(confusion),
                metrics.bootstrap_interval(self.predicted, self.true, len(self.labels)),
                f"{PROTOCOL}; interval from 1,000 bootstrap rounds",
            ),
            metric(
                "expected_calibration_error",
                calibration.expected_calibration_error(self.probabilities, self.true),
                None,
                f"{PROTOCOL}; {calibration.BINS} equally wide bins",
            ),
            metric("coverage", float(answered.mean()), None, f"share at or above {self.threshold:.3f}"),
            metric(
                "answered_accuracy",
                answered_share,
                metrics.wilson_interval(answered_share, int(answered.sum())) if answered.any() else None,
                f"accuracy of the faces at or above {self.threshold:.3f}; Wilson interval",
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain types: metrics, per-label figures, confusion."""
        confusion = self.confusion
        rows = metrics.precision_recall_f1(confusion)
        return {
            "data": self.source,
            "faces": len(self.true),
            "labels": list(self.labels),
            "metrics": {
                m.name: {"value": m.value, "low": m.low, "high": m.high, "protocol": m.protocol}
                for m in self.metrics()
            },
            "per_label": {
                label: {
                    "precision": float(row[0]),
                    "recall": float(row[1]),
                    "f1": float(row[2]),
                    "support": int(support),
                }
                for label, row, support in zip(self.labels, rows, confusion.sum(1), strict=True)
            },
            "confusion": confusion.tolist(),
        }


def evaluate(model: Model, data: FaceDataset) -> Evaluation:
    """Run `model` once over every face of `data`.

    Raises:
        DatasetError: no faces, a label the model does not know, or faces of another size than it reads.
    """
    targets = targets_in_card_order(data, model.card)
    images = data.images if model.card.input.colour == "gray" else data.images[..., np.newaxis].repeat(3, -1)
    probabilities = [classify(model, images[i : i + _BATCH]) for i in range(0, len(data), _BATCH)]
    return Evaluation(
        model.card.labels, np.concatenate(probabilities), targets, model.card.threshold, data.source
    )


def targets_in_card_order(data: FaceDataset, card: Card) -> NDArray[np.int64]:
    """Return the targets of `data` as indices into the card's labels, after checking that both fit."""
    if not len(data):
        raise DatasetError("the data set holds no faces; there is nothing to measure")
    if unknown := [label for label in data.labels if label not in card.labels]:
        raise DatasetError(f"model {card.name!r} does not know the labels {', '.join(unknown)}")
    height, width = data.images.shape[1:]
    if (width, height) != (card.input.width, card.input.height):
        raise DatasetError(
            f"model {card.name!r} reads faces of {card.input.width}×{card.input.height} pixels and the data "
            f"set has {width}×{height}"
        )
    order = np.array([card.labels.index(label) for label in data.labels], dtype=np.int64)
    return order[data.targets]

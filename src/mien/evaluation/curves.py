"""One label against the rest: ROC and precision-recall curves, by scikit-learn (extra `report`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import MissingExtraError
from mien.evaluation.evaluate import Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve of one label.

    Attributes:
        label: the label.
        x, y: float64 (points,): false-positive and true-positive rate, or recall and precision; x rises.
        area: the area under the ROC curve, or the average precision.
        support: how many faces have the label.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float
    support: int


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Both curves of every label that some faces have and some have not."""

    roc: tuple[Curve, ...]
    precision_recall: tuple[Curve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the areas and their unweighted means as plain types."""
        return {
            "roc_auc": _areas(self.roc),
            "average_precision": _areas(self.precision_recall),
        }


def curves(evaluation: Evaluation) -> Curves:
    """Return the one-vs-rest curves of an evaluation, from its calibrated probabilities.

    The average precision is the sum of precisions weighted by the gain in recall, without interpolation.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn import metrics
    except ImportError:
        raise MissingExtraError("scikit-learn", "report") from None
    roc, recall = [], []
    for index, label in enumerate(evaluation.labels):
        own, score = evaluation.true == index, evaluation.probabilities[:, index]
        if not 0 < (support := int(own.sum())) < len(own):
            continue
        false, true, _ = metrics.roc_curve(own, score)
        roc.append(Curve(label, false, true, float(metrics.auc(false, true)), support))
        precision, found, _ = metrics.precision_recall_curve(own, score)
        area = float(metrics.average_precision_score(own, score))
        recall.append(Curve(label, found[::-1], precision[::-1], area, support))
    return Curves(tuple(roc), tuple(recall))


def _areas(found: tuple[Curve, ...]) -> dict[str, Any]:
    return {
        "macro": float(np.mean([curve.area for curve in found])) if found else None,
        "per_label": {curve.label: curve.area for curve in found},
    }

"""Measure a classifier on labelled faces."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mien.core.given import given_path
from mien.datasets import FaceDataset
from mien.datasets.dataset import given_faces
from mien.evaluation import calibration, metrics
from mien.evaluation.predict import Progress, check_faces, logits_of, targets_in_card_order
from mien.pipeline.classify import mirrored, softmax
from mien.zoo.card import Card, Metric
from mien.zoo.registry import Model, load_model

PROTOCOL = "one forward pass, no test-time augmentation"
TTA_PROTOCOL = "mean of a face and its mirror image (test-time augmentation), two forward passes"
COVERAGES = tuple(n / 10 for n in range(1, 11))


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a classifier says about labelled faces, in card order.

    Attributes:
        labels: of the card.
        probabilities: calibrated, float64 (faces, labels).
        uncalibrated: the same at temperature 1, float64 (faces, labels).
        true: int64 (faces,), indices into `labels`.
        temperature, threshold: of the card; below the threshold a face is uncertain.
        source: the data set.
        names: of the faces.
        protocol: how each face was read.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    uncalibrated: NDArray[np.float64]
    true: NDArray[np.int64]
    temperature: float
    threshold: float
    source: str
    names: tuple[str, ...]
    protocol: str = PROTOCOL

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The top label of every face, int64 (faces,)."""
        top: NDArray[np.int64] = self.probabilities.argmax(1)
        return top

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which faces are read as they are labelled, bool (faces,)."""
        return np.asarray(self.predicted == self.true)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (labels, labels): true labels as rows, predicted labels as columns."""
        return metrics.confusion_matrix(self.predicted, self.true, len(self.labels))

    def mistakes(self, count: int) -> NDArray[np.int64]:
        """Return the indices of the wrong faces of highest confidence, the most confident first."""
        wrong = np.flatnonzero(~self.right)
        order = np.argsort(-self.probabilities.max(1)[wrong], kind="stable")
        chosen: NDArray[np.int64] = wrong[order[:count]]
        return chosen

    def per_label(self) -> dict[str, dict[str, Any]]:
        """Return precision, recall, F1 and support of every label."""
        confusion = self.confusion
        rows = metrics.precision_recall_f1(confusion)
        return {
            label: {
                "precision": float(row[0]),
                "recall": float(row[1]),
                "f1": float(row[2]),
                "support": int(support),
            }
            for label, row, support in zip(self.labels, rows, confusion.sum(1), strict=True)
        }

    def metrics(self) -> tuple[Metric, ...]:
        """Return the figures that go into a card, with 95 % intervals where they have one.

        Where no face reaches the threshold there is no accuracy of those that do: it is left out.
        """
        faces, confusion = len(self.true), self.confusion
        data = f"{self.source} ({faces} faces)"
        share = metrics.accuracy(self.predicted, self.true)
        answered = self.probabilities.max(1) >= self.threshold

        def metric(
            name: str, value: float, interval: tuple[float, float] | None = None, how: str = ""
        ) -> Metric:
            low, high = interval or (None, None)
            return Metric(name, value, data, f"{self.protocol}; {how}" if how else self.protocol, low, high)

        return (
            metric("accuracy", share, metrics.wilson_interval(share, faces), "Wilson interval"),
            metric("balanced_accuracy", metrics.balanced_accuracy(confusion)),
            metric(
                "macro_f1",
                metrics.macro_f1(confusion),
                metrics.bootstrap_interval(self.predicted, self.true, len(self.labels)),
                "interval from 1,000 bootstrap rounds",
            ),
            metric("top_2_accuracy", metrics.top_accuracy(self.probabilities, self.true, 2)),
            metric("log_loss", metrics.log_loss(self.probabilities, self.true)),
            metric("brier_score", metrics.brier_score(self.probabilities, self.true)),
            metric(
                "expected_calibration_error",
                calibration.expected_calibration_error(self.probabilities, self.true),
                None,
                f"{calibration.BINS} equally wide bins",
            ),
            Metric("coverage", float(answered.mean()), data, f"share at or above {self.threshold:.3f}"),
            *self._answered_accuracy(answered, data),
        )

    def _answered_accuracy(self, answered: NDArray[np.bool_], data: str) -> tuple[Metric, ...]:
        if not answered.any():
            return ()
        share = float(self.right[answered].mean())
        how = f"accuracy of the faces at or above {self.threshold:.3f}; Wilson interval"
        interval = metrics.wilson_interval(share, int(answered.sum()))
        return (Metric("answered_accuracy", share, data, how, *interval),)

    def to_dict(self) -> dict[str, Any]:
        """Return every figure that needs no extra as plain types; docs/evaluation.md defines them."""
        confusion = self.confusion
        curve = calibration.risk_coverage(self.probabilities, self.true)
        return {
            "data": self.source,
            "faces": len(self.true),
            "protocol": self.protocol,
            "labels": list(self.labels),
            "metrics": {
                m.name: {"value": m.value, "low": m.low, "high": m.high, "protocol": m.protocol}
                for m in self.metrics()
            },
            "per_label": self.per_label(),
            "confusion": confusion.tolist(),
            "confusion_rates": metrics.rates(confusion).tolist(),
            "reliability": {
                "temperature": self.temperature,
                "before": _bins(calibration.reliability(self.uncalibrated, self.true)),
                "after": _bins(calibration.reliability(self.probabilities, self.true)),
            },
            "risk_coverage": {"area": curve.area, "points": _points(curve)},
        }


@runtime_checkable
class Trained(Protocol):
    """What has a model to measure, such as a run of `mien.fit`."""

    def model(self) -> Model:
        """Return the model as it stands."""
        ...


def evaluate(
    model: Model | Trained | str | os.PathLike[str],
    data: FaceDataset,
    progress: Progress | None = None,
    *,
    tta: bool = False,
) -> Evaluation:
    """Measure a model on labelled faces: one forward pass a face.

    Args:
        model: a loaded one, a run of `mien.fit`, or what `mien.load_model` takes: a name, or the path of an
            ONNX file with its card.
        data: labelled faces of the size that the model's card says, none of them trained on.
        progress: called with the faces done and the faces there are.
        tta: read mirror images too and average (test-time augmentation), as the option of that name does.

    Raises:
        OptionError: `model` or `data` is of another kind.
        DatasetError: no faces, a label the model does not know, or faces of another size than it reads.
        ModelError: the model cannot be used.
    """
    given_faces("data", data)
    model = _loaded(model)
    check_faces(data, model.card)
    targets = targets_in_card_order(data, model.card)
    passes = [logits_of(model, data.images, progress)]
    if tta:
        passes.append(logits_of(model, mirrored(data.images)))
    return Evaluation(
        labels=model.card.labels,
        probabilities=np.mean([softmax(logits, model.card.temperature) for logits in passes], 0),
        uncalibrated=np.mean([softmax(logits, 1.0) for logits in passes], 0),
        true=targets,
        temperature=model.card.temperature,
        threshold=model.card.threshold,
        source=data.source,
        names=data.names,
        protocol=TTA_PROTOCOL if tta else PROTOCOL,
    )


def _loaded(model: Model | Trained | str | os.PathLike[str]) -> Model:
    """No default model here: a figure has to be that of the model one meant."""
    if isinstance(model, Model):
        return model
    if isinstance(model, Trained):
        return model.model()
    wanted = 'a model to measure: its name, such as "mien-base", a path, a loaded one or a run of mien.fit'
    given_path("model", model, wanted)
    return load_model(model)


def _bins(found: calibration.Reliability) -> dict[str, Any]:
    return {
        "expected_calibration_error": found.error,
        "edges": found.edges.tolist(),
        "counts": found.counts.tolist(),
        "confidence": found.confidence.tolist(),
        "accuracy": found.accuracy.tolist(),
    }


def _points(curve: calibration.RiskCoverage) -> list[dict[str, float]]:
    """The curve where at least 10 %, 20 %, … of the faces are answered."""
    where = np.searchsorted(curve.coverage, COVERAGES).clip(max=len(curve.coverage) - 1)
    return [
        {
            "coverage": float(curve.coverage[i]),
            "risk": float(curve.risk[i]),
            "threshold": float(curve.thresholds[i]),
        }
        for i in where
    ]


def reported(card: Card, evaluation: Evaluation) -> Card:
    """Return the card with the figures of a measurement."""
    confusion = tuple(tuple(int(n) for n in row) for row in evaluation.confusion)
    return replace(card, metrics=evaluation.metrics(), confusion=confusion)

"""What a model says about every face of a data set, with or without labels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError, OptionError
from mien.core.files import atomic_write, shown
from mien.datasets import FaceDataset
from mien.evaluation import metrics
from mien.pipeline.classify import compute_logits, softmax
from mien.records import plain_text, valid_text
from mien.zoo.card import Card
from mien.zoo.registry import Model

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

SUFFIXES = (".csv", ".json")
BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model says about faces, in the order of the data.

    Attributes:
        model: name of the model.
        labels: of the model's card.
        names: of the faces: for files the place below the data set's folder ("test/happy/1.png").
        probabilities: calibrated, float64 (faces, labels).
        threshold: of the card, below which a face is uncertain.
        true: int64 (faces,), indices into `labels`, or None where the labels are not known.
    """

    model: str
    labels: tuple[str, ...]
    names: tuple[str, ...]
    probabilities: NDArray[np.float64]
    threshold: float
    true: NDArray[np.int64] | None

    @property
    def accuracy(self) -> float | None:
        """The share of faces whose top label is the true one; None where no labels are known."""
        return None if self.true is None else metrics.accuracy(self.probabilities.argmax(1), self.true)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each face: name, true, predicted, confidence, uncertain, scores; plain types."""
        for face, (name, row) in enumerate(zip(self.names, self.probabilities, strict=True)):
            top = int(row.argmax())
            yield {
                "name": valid_text(name),
                "true": None if self.true is None else self.labels[self.true[face]],
                "predicted": self.labels[top],
                "confidence": float(row[top]),
                "uncertain": bool(row[top] < self.threshold),
                "scores": dict(zip(self.labels, map(float, row), strict=True)),
            }


def predict(model: Model, data: FaceDataset, progress: Progress | None = None) -> Predictions:
    """Run `model` once over every face of `data`, which may be without labels.

    Raises:
        DatasetError: no faces, a label the model does not know, or faces of another size than it reads.
    """
    true = targets_in_card_order(data, model.card) if data.labels else None
    check_faces(data, model.card)
    probabilities = softmax(logits_of(model, data.images, progress), model.card.temperature)
    return Predictions(model.name, model.card.labels, data.places, probabilities, model.card.threshold, true)


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write one row a face, as CSV or JSON by the suffix.

    CSV has the columns name, true, predicted, confidence, uncertain and score_<label>; cells that a
    spreadsheet would run are written so that they are text. JSON has the model, the accuracy (null
    without labels) and the rows with their scores.

    Raises:
        OptionError: the suffix is another.
        OutputError: the file cannot be written.
    """
    check_suffix(path)
    if path.suffix.lower() == ".json":
        document = {
            "model": predictions.model,
            "faces": len(predictions.names),
            "accuracy": predictions.accuracy,
            "predictions": list(predictions.rows()),
        }
        atomic_write(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(csv_head(predictions.labels))
    writer.writerows(csv_cells(row) for row in predictions.rows())
    atomic_write(path, text.getvalue())


def csv_head(labels: Sequence[str]) -> list[str]:
    """Return the columns of predictions as CSV."""
    scores = (plain_text(f"score_{label}") for label in labels)
    return ["name", "true", "predicted", "confidence", "uncertain", *scores]


def csv_cells(row: Mapping[str, Any]) -> list[str | float]:
    """Return a row of `Predictions.rows` in the order of `csv_head`."""
    words = [plain_text(row[column] or "") for column in ("name", "true", "predicted")]
    return [*words, row["confidence"], str(row["uncertain"]).lower(), *row["scores"].values()]


def check_suffix(path: Path) -> None:
    """Refuse a file for predictions that is neither CSV nor JSON."""
    if path.suffix.lower() not in SUFFIXES:
        raise OptionError(f"predictions go to a file that ends in {' or '.join(SUFFIXES)}, not {shown(path)}")


def logits_of(
    model: Model, images: NDArray[np.uint8], progress: Progress | None = None
) -> NDArray[np.float64]:
    """Return the logits of one forward pass a face, float64 (faces, labels).

    Args:
        model: the classifier.
        images: uint8 grey (faces, height, width), one or more, of the size that the card says; a network
            for colour sees the grey value in all three channels.
        progress: called after every batch.
    """
    logits = np.empty((len(images), len(model.card.labels)))
    for start in range(0, len(images), BATCH):
        faces = images[start : start + BATCH]
        if model.card.input.colour == "rgb":
            faces = faces[..., np.newaxis].repeat(3, -1)
        logits[start : start + BATCH] = compute_logits(model, faces)
        if progress is not None:
            progress(min(start + BATCH, len(images)), len(images))
    return logits


def check_faces(data: FaceDataset, card: Card) -> None:
    """Refuse data without faces, or with faces of another size than the model reads."""
    if not len(data):
        raise DatasetError("the data set holds no faces; there is nothing to measure")
    height, width = data.images.shape[1:]
    if (width, height) != (card.input.width, card.input.height):
        raise DatasetError(
            f"model {card.name!r} reads faces of {card.input.width}×{card.input.height} pixels and the data "
            f"set has {width}×{height}"
        )


def targets_in_card_order(data: FaceDataset, card: Card) -> NDArray[np.int64]:
    """Return the targets of `data` as indices into the card's labels, after checking that they fit."""
    if not data.labels:
        raise DatasetError(
            f"{data.source or 'the data set'} has no labels; it can be predicted, not measured"
        )
    if unknown := [label for label in data.labels if label not in card.labels]:
        raise DatasetError(
            f"model {card.name!r} does not know the labels {', '.join(unknown)}; leave their faces out to "
            f"measure it on {', '.join(label for label in data.labels if label in card.labels) or 'others'}"
        )
    order = np.array([card.labels.index(label) for label in data.labels], dtype=np.int64)
    return order[data.targets]

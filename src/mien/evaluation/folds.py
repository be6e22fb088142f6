"""What cross-validation found: mean and deviation over the folds, and all faces together."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.files import atomic_write
from mien.core.spread import Spread
from mien.evaluation import metrics
from mien.evaluation.evaluate import PROTOCOL, Evaluation
from mien.evaluation.predict import Predictions, csv_cells, csv_head
from mien.records import plain_text

FOLDS_PROTOCOL = (
    "each face is measured once, by a network that was trained without its fold; a validation part of the "
    f"other folds chose epoch, temperature and threshold; {PROTOCOL}"
)
_LABEL_FIGURES = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True, eq=False)
class FoldResults:
    """The held-out faces of every fold that is done, each as its own network reads them.

    Attributes:
        evaluations: of the folds, in order.
        indices: the place of each fold's faces in the data, int64 (faces of the fold,).
        rows: the figures of each fold that a card has, by name.
        near: names of the faces that have a near copy in another fold, which makes them easier.
    """

    evaluations: tuple[Evaluation, ...] = ()
    indices: tuple[NDArray[np.int64], ...] = ()
    rows: tuple[Mapping[str, float], ...] = ()
    near: tuple[str, ...] = ()

    def with_fold(self, evaluation: Evaluation, indices: NDArray[np.int64]) -> FoldResults:
        """Return these results and those of one fold more; what takes long is computed here, once."""
        row = {metric.name: metric.value for metric in evaluation.metrics()}
        return replace(
            self,
            evaluations=(*self.evaluations, evaluation),
            indices=(*self.indices, indices),
            rows=(*self.rows, row),
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, as the cards have them."""
        return self.evaluations[0].labels

    def figures(self) -> dict[str, Spread]:
        """Return the spread of every figure that a card has, by name, over the folds that have it."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: Spread.of([row[name] for row in self.rows if name in row]) for name in names}

    def per_label(self) -> dict[str, dict[str, Spread]]:
        """Return the spread of precision, recall and F1 of every label."""
        rows = [evaluation.per_label() for evaluation in self.evaluations]
        return {
            label: {name: Spread.of([row[label][name] for row in rows]) for name in _LABEL_FIGURES}
            for label in self.labels
        }

    def confusion(self) -> NDArray[np.int64]:
        """Return the counts (labels, labels) over all folds: true labels as rows."""
        return np.asarray(sum(evaluation.confusion for evaluation in self.evaluations), np.int64)

    def pooled(self) -> dict[str, Any]:
        """Return the figures of all held-out faces together, as plain types.

        The Wilson interval takes the faces as independent, though several networks read them.
        """
        confusion = self.confusion()
        faces = int(confusion.sum())
        accuracy = float(np.trace(confusion) / faces)
        low, high = metrics.wilson_interval(accuracy, faces)
        return {
            "faces": faces,
            "accuracy": {"value": accuracy, "low": low, "high": high},
            "balanced_accuracy": metrics.balanced_accuracy(confusion),
            "macro_f1": metrics.macro_f1(confusion),
            "confusion": confusion.tolist(),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain types, for JSON."""
        return {
            "protocol": FOLDS_PROTOCOL,
            "done": len(self.evaluations),
            "near_copies_across_folds": list(self.near),
            "labels": list(self.labels),
            "figures": {name: spread.to_dict() for name, spread in self.figures().items()},
            "per_label": {
                label: {name: spread.to_dict() for name, spread in row.items()}
                for label, row in self.per_label().items()
            },
            "pooled": self.pooled(),
            "folds": [
                {
                    "fold": number,
                    "faces": len(evaluation.true),
                    "temperature": evaluation.temperature,
                    "threshold": evaluation.threshold,
                    "figures": dict(row),
                    "per_label": evaluation.per_label(),
                }
                for number, (evaluation, row) in enumerate(zip(self.evaluations, self.rows, strict=True), 1)
            ],
        }


def write_folds(results: FoldResults, path: Path) -> None:
    """Write a row a fold as CSV, and below them one with the means and one with the deviations."""
    found = results.to_dict()
    figures, labels = list(found["figures"]), found["labels"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["fold", "faces", *figures, *(plain_text(f"f1_{label}") for label in labels)])
    for fold in found["folds"]:
        scores = [fold["per_label"][label]["f1"] for label in labels]
        writer.writerow(
            [fold["fold"], fold["faces"], *(fold["figures"].get(name) for name in figures), *scores]
        )
    for row in ("mean", "std"):
        scores = [found["per_label"][label]["f1"][row] for label in labels]
        writer.writerow([row, "", *(found["figures"][name][row] for name in figures), *scores])
    atomic_write(path, text.getvalue())


def write_fold_predictions(results: FoldResults, path: Path) -> None:
    """Write every held-out face as CSV in the order of the data: its fold, then as `mien predict` does."""
    rows: list[tuple[int, list[str | float]]] = []
    for number, (evaluation, indices) in enumerate(zip(results.evaluations, results.indices, strict=True), 1):
        predictions = Predictions(
            f"fold-{number}",
            evaluation.labels,
            evaluation.names,
            evaluation.probabilities,
            evaluation.threshold,
            evaluation.true,
        )
        cells = ([number, *csv_cells(row)] for row in predictions.rows())
        rows += zip(map(int, indices), cells, strict=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["fold", *csv_head(results.labels)])
    writer.writerows(cells for _, cells in sorted(rows, key=lambda row: row[0]))
    atomic_write(path, text.getvalue())

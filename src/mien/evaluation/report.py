"""A report that one hands to a colleague: figures, tables and one HTML page that needs nothing else.

Needs the extra `report`. The files of a report:

| file                      | what it holds                                                              |
| ------------------------- | -------------------------------------------------------------------------- |
| report.html               | everything on one page, offline; light or dark as the reader's system says |
| metrics.json              | every figure                                                               |
| confusion_matrix.csv      | counts, true labels as rows                                                |
| classification_report.txt | precision, recall, F1 and support of each label                            |
| NAME.png, NAME.svg        | each figure; NAME-dark for dark pages                                      |
| figures.json              | which of these files there are; a later report removes what it lacks       |
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mien.core.errors import MissingExtraError
from mien.core.files import atomic_write, check_folder, ensure_folder
from mien.core.version import __version__
from mien.datasets import FaceDataset
from mien.evaluation._figure_files import save_figures
from mien.evaluation._html import page
from mien.evaluation._sections import sections
from mien.evaluation.compare import Comparison
from mien.evaluation.corruptions import CorruptionResult, mean_relative_drop
from mien.evaluation.crowd import Agreement
from mien.evaluation.curves import curves
from mien.evaluation.evaluate import Evaluation
from mien.evaluation.mirror import MirrorResult
from mien.records import plain_text
from mien.zoo.registry import Model

_CURVES = {"epoch", "train_loss", "validation_loss", "validation_accuracy"}


@dataclass(frozen=True, slots=True)
class Extras:
    """What a report can hold besides the evaluation; None is left out.

    Attributes:
        corruptions: accuracy on damaged faces.
        mirror: how mirror images are read.
        crowd: agreement with crowd votes.
        other: name of a second model, measured on the same faces.
        comparison: McNemar's test between the two.
        other_accuracy: of the second model.
        milliseconds: a face takes on one thread.
        log: the columns of the run's log.csv, for training curves.
    """

    corruptions: Sequence[CorruptionResult] | None = None
    mirror: MirrorResult | None = None
    crowd: Agreement | None = None
    other: str | None = None
    comparison: Comparison | None = None
    other_accuracy: float | None = None
    milliseconds: float | None = None
    log: Mapping[str, Sequence[float]] | None = None


def figures_of(model: Model, evaluation: Evaluation, extras: Extras | None = None) -> dict[str, Any]:
    """Return what `mien evaluate --output` and metrics.json hold, as plain types.

    The areas under the curves are only in metrics.json: they need the extra `report`.
    """
    extras = extras or Extras()
    found: dict[str, Any] = {
        "mien": __version__,
        "model": model.reference.to_dict(),
        **evaluation.to_dict(),
    }
    if extras.corruptions is not None:
        found["corruptions"] = {result.name: result.to_dict() for result in extras.corruptions}
        clean = float(evaluation.right.mean())
        found["mean_relative_drop"] = mean_relative_drop(clean, extras.corruptions)
    if extras.mirror is not None:
        found["mirror"] = extras.mirror.to_dict()
    if extras.crowd is not None:
        found["crowd"] = extras.crowd.to_dict()
    if extras.comparison is not None:
        found["comparison"] = {
            "other": extras.other,
            "other_accuracy": extras.other_accuracy,
            **extras.comparison.to_dict(),
        }
    if extras.milliseconds is not None:
        found["milliseconds_per_face"] = extras.milliseconds
    return found


def write_report(
    folder: Path, model: Model, data: FaceDataset, evaluation: Evaluation, extras: Extras | None = None
) -> Path:
    """Write the files of a report into `folder`, which is made where missing; return report.html.

    Args:
        folder: files of an earlier report in it are replaced, and figures that this one lacks removed.
        model: that was measured.
        data: that it was measured on; its faces are shown.
        evaluation: of `model` on `data`.
        extras: what else is known.

    Raises:
        MissingExtraError: matplotlib, jinja2 or scikit-learn is not installed.
        OutputError: a file cannot be written.
    """
    extras = extras or Extras()
    one_vs_rest = curves(evaluation)
    figures = {**figures_of(model, evaluation, extras), **one_vs_rest.to_dict()}
    parts = sections(data, evaluation, one_vs_rest, figures, extras.log)
    html = page(model.card, figures, parts, date.today())
    ensure_folder(folder)
    save_figures(folder, (part.plot for part in parts))
    write_tables(folder, evaluation, figures)
    # Last, so that a report.html stands for a whole report.
    atomic_write(folder / "report.html", html)
    return folder / "report.html"


def write_tables(folder: Path, evaluation: Evaluation, figures: Mapping[str, Any]) -> None:
    """Write metrics.json, confusion_matrix.csv and classification_report.txt into a folder that is there.

    Raises:
        OutputError: a file cannot be written.
    """
    atomic_write(folder / "metrics.json", json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    atomic_write(folder / "confusion_matrix.csv", confusion_csv(evaluation))
    atomic_write(folder / "classification_report.txt", classification_report(evaluation))


def check_report(folder: Path, modules: Sequence[str] = ("matplotlib", "jinja2", "sklearn")) -> None:
    """Find out before the work whether a report can be made; nothing is made yet.

    Args:
        folder: of the report.
        modules: that it needs.

    Raises:
        MissingExtraError: matplotlib, jinja2 or scikit-learn is not installed.
        OutputError: the folder cannot be made.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError({"sklearn": "scikit-learn"}.get(module, module), "report")
    check_folder(folder)


def read_log(path: Path) -> dict[str, list[float]] | None:
    """Return the columns of a run's log.csv for training curves; None where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(text)))
        log = {column: [_number(row[column]) for row in rows] for column in rows[0]} if rows else {}
    except (OSError, ValueError, csv.Error):
        return None
    return log if set(log) >= _CURVES else None


def _number(cell: str) -> float:
    return float({"True": 1, "False": 0}.get(cell, cell))


def confusion_csv(evaluation: Evaluation) -> str:
    """Return the confusion counts as CSV: true labels as rows, predicted labels as columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    labels = [plain_text(label) for label in evaluation.labels]
    writer.writerow(["true \\ predicted", *labels])
    for label, counts in zip(labels, evaluation.confusion.tolist(), strict=True):
        writer.writerow([label, *counts])
    return text.getvalue()


def classification_report(evaluation: Evaluation) -> str:
    """Return precision, recall, F1 and support of each label and their means, as a table of plain text."""
    found = evaluation.to_dict()
    rows = found["per_label"]
    width = max(len(label) for label in [*rows, "weighted mean"]) + 2
    heads = ("precision", "recall", "f1", "support")
    lines = ["".join([" " * width, *(f"{head:>11}" for head in heads)])]

    def line(name: str, values: Iterable[float], support: int) -> str:
        return "".join([f"{name:<{width}}", *(f"{value:>11.4f}" for value in values), f"{support:>11}"])

    lines += [line(label, [row[head] for head in heads[:3]], row["support"]) for label, row in rows.items()]
    table = np.array([[row[head] for head in heads] for row in rows.values()])
    support = table[:, 3]
    occurring = support > 0
    lines += [
        "",
        line("mean", table[occurring, :3].mean(0), len(evaluation.true)),
        line("weighted mean", np.average(table[:, :3], axis=0, weights=support), len(evaluation.true)),
        "",
        f"accuracy {found['metrics']['accuracy']['value']:.4f} on {found['data']}, {found['faces']} faces; "
        "means are over the labels that occur",
    ]
    return "\n".join(lines) + "\n"

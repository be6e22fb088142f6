"""The parts of a report: each a figure, a sentence that says what it shows, and the table behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien import figures as draw
from mien.datasets import FaceDataset
from mien.evaluation import calibration
from mien.evaluation.curves import Curve, Curves
from mien.evaluation.evaluate import Evaluation
from mien.figures.style import percent

MISTAKES = 24
_RATES = (0.01, 0.05, 0.1, 0.2)
_RECALLS = (0.2, 0.5, 0.8, 0.95)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report.

    Attributes:
        plot: the figure.
        says: what the figure shows and how to read it.
        head: of the table behind it.
        rows: of the table; text and numbers as they are shown.
    """

    plot: draw.Plot
    says: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sections(
    data: FaceDataset,
    evaluation: Evaluation,
    curves: Curves,
    figures: Mapping[str, Any],
    log: Mapping[str, Sequence[float]] | None,
) -> tuple[Section, ...]:
    """Return the parts that there is something to show for, in the order of the page."""
    parts = [_confusion(figures), _per_label(figures), _reliability(figures), _risk_coverage(evaluation)]
    if curves.roc:
        parts += [_roc(curves.roc), _precision_recall(curves.precision_recall)]
    if "corruptions" in figures:
        parts.append(_corruptions(figures))
    parts.append(_classes(data))
    if log:
        parts.append(_training(log))
    if not evaluation.right.all():
        parts.append(_mistakes(data, evaluation))
    return tuple(parts)


def run_sections(
    figures: Mapping[str, Any] | None, log: Mapping[str, Sequence[float]] | None
) -> tuple[Section, ...]:
    """Return the parts of a run's page: its curves, and what the figures of the test faces hold."""
    parts = [_training(log)] if log else []
    if figures is not None and figures["confusion"]:
        parts += [_confusion(figures), _per_label(figures)]
    if figures is not None and "reliability" in figures:
        parts.append(_reliability(figures))
    return tuple(parts)


def _confusion(figures: Mapping[str, Any]) -> Section:
    labels, counts = figures["labels"], figures["confusion"]
    plot = draw.confusion_matrix(np.array(counts), np.array(figures["confusion_rates"]), labels)
    says = (
        "Each row is a true label: the share of its faces read as each label, and below it how many they are."
    )
    rows = tuple((label, *map(str, row)) for label, row in zip(labels, counts, strict=True))
    return Section(plot, says, ("true \\ predicted", *labels), rows)


def _per_label(figures: Mapping[str, Any]) -> Section:
    rows = figures["per_label"]
    says = (
        "Precision: how many of the faces read as the label have it. Recall: how many of the faces with the "
        "label are read as it. F1: their harmonic mean."
    )
    table = tuple(
        (label, *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1")), f"{row['support']:,}")
        for label, row in rows.items()
    )
    return Section(draw.per_class_bars(rows), says, ("label", "precision", "recall", "F1", "faces"), table)


def _reliability(figures: Mapping[str, Any]) -> Section:
    found = figures["reliability"]
    before, after = found["before"], found["after"]
    named = {"temperature 1": before, f"temperature {found['temperature']:.3g} (card)": after}
    plot = draw.reliability_diagram(
        np.array(after["edges"]),
        {
            name: (
                *(np.array(part[key]) for key in ("confidence", "accuracy", "counts")),
                part["expected_calibration_error"],
            )
            for name, part in named.items()
        },
    )
    says = (
        "Of the faces read with a confidence of 70 %, 70 % should be right: on the dashed line. Below it the "
        "model is too sure of itself, above it too modest. The error is the mean gap over all faces."
    )
    rows = tuple(
        (
            f"{after['edges'][i]:.2f} to {after['edges'][i + 1]:.2f}",
            *(
                text
                for part in (before, after)
                for text in (
                    (f"{part['counts'][i]:,}", f"{part['accuracy'][i]:.3f}")
                    if part["counts"][i]
                    else ("0", "–")
                )
            ),
        )
        for i in range(len(after["counts"]))
    )
    head = ("confidence", "faces, temperature 1", "accuracy", "faces, card's temperature", "accuracy")
    return Section(plot, says, head, rows)


def _risk_coverage(evaluation: Evaluation) -> Section:
    curve = calibration.risk_coverage(evaluation.probabilities, evaluation.true)
    answered = evaluation.probabilities.max(1) >= evaluation.threshold
    marked = None
    if answered.any() and evaluation.threshold > 0:
        marked = float(answered.mean()), float(1 - evaluation.right[answered].mean())
    says = (
        "A model that answers only where it is confident is wrong less often. The further right, the more "
        f"faces are answered. The area under the curve, the mean risk, is {curve.area:.3f}."
    )
    rows = tuple(
        (percent(point["coverage"], 1), f"{point['threshold']:.3f}", percent(point["risk"], 1))
        for point in evaluation.to_dict()["risk_coverage"]["points"]
    )
    plot = draw.risk_coverage_curve(curve.coverage, curve.risk, marked)
    return Section(plot, says, ("answered", "confidence of at least", "wrong among them"), rows)


def _roc(curves: Sequence[Curve]) -> Section:
    says = (
        "How many of the faces with a label are found (up) when so many of the others are mistaken for it "
        "(across). The area is 1 for a perfect model and 0.5 for a coin."
    )
    rows = tuple(
        (
            curve.label,
            f"{curve.area:.3f}",
            *(f"{curve.y[np.searchsorted(curve.x, rate, side='right') - 1]:.3f}" for rate in _RATES),
            f"{curve.support:,}",
        )
        for curve in curves
    )
    head = ("label", "area", *(f"found at {percent(rate)} false" for rate in _RATES), "faces")
    return Section(draw.roc_curves(_lines(curves)), says, head, rows)


def _precision_recall(curves: Sequence[Curve]) -> Section:
    says = (
        "How many of the faces that are read as a label have it (up) when so many of those with the label "
        "are found (across). Rare labels have it harder here than under ROC."
    )
    rows = tuple(
        (
            curve.label,
            f"{curve.area:.3f}",
            *(f"{curve.y[np.searchsorted(curve.x, recall)]:.3f}" for recall in _RECALLS),
            f"{curve.support:,}",
        )
        for curve in curves
    )
    head = ("label", "average precision", *(f"precision at recall {percent(r)}" for r in _RECALLS), "faces")
    return Section(draw.precision_recall_curves(_lines(curves)), says, head, rows)


def _lines(curves: Sequence[Curve]) -> list[draw.Line]:
    return [draw.Line(curve.label, curve.x, curve.y, curve.area) for curve in curves]


def _corruptions(figures: Mapping[str, Any]) -> Section:
    found, clean = figures["corruptions"], figures["metrics"]["accuracy"]
    plot = draw.corruption_bars(
        (clean["value"], clean["low"], clean["high"]),
        {name: (row["accuracy"], row["low"], row["high"]) for name, row in found.items()},
    )
    rows = [
        (
            "as they are",
            "–",
            percent(clean["value"], 1),
            f"{percent(clean['low'], 1)} to {percent(clean['high'], 1)}",
            "",
        )
    ]
    rows += [
        (
            name.replace("_", " "),
            row["severity"],
            percent(row["accuracy"], 1),
            f"{percent(row['low'], 1)} to {percent(row['high'], 1)}",
            f"{(row['accuracy'] - clean['value']) * 100:+.1f} points",
        )
        for name, row in found.items()
    ]
    says = "The same faces, each damaged in one way of a fixed strength."
    if "mean_relative_drop" in figures:
        says += f" On the mean {percent(figures['mean_relative_drop'], 1)} of the accuracy is lost."
    return Section(plot, says, ("faces", "strength", "accuracy", "95 % interval", "change"), tuple(rows))


def _mistakes(data: FaceDataset, evaluation: Evaluation) -> Section:
    chosen = evaluation.mistakes(MISTAKES)
    labels, sure = evaluation.labels, evaluation.probabilities.max(1)
    faces = [
        (
            data.images[i],
            labels[evaluation.true[i]],
            labels[evaluation.predicted[i]],
            float(sure[i]),
        )
        for i in chosen
    ]
    places = data.places
    rows = tuple(
        (places[i], true, predicted, percent(confidence, 1))
        for i, (_, true, predicted, confidence) in zip(chosen, faces, strict=True)
    )
    says = (
        "The faces that the model reads unlike their label, most surely first. Some of the labels are wrong, "
        "not the model."
    )
    return Section(draw.mistakes_sheet(faces), says, ("face", "label", "read as", "confidence"), rows)


def _classes(data: FaceDataset) -> Section:
    counts = data.counts()
    rows = tuple((label, f"{n:,}", percent(n / len(data), 1)) for label, n in counts.items())
    says = "How many faces the figures of each label rest on."
    return Section(draw.class_distribution({data.source: counts}), says, ("label", "faces", "share"), rows)


def _training(log: Mapping[str, Sequence[float]]) -> Section:
    columns = [c for c in log if c not in ("seconds", "best")]
    rows = tuple(
        tuple(f"{value:.4g}" for value in row) for row in zip(*(log[c] for c in columns), strict=True)
    )
    says = "Loss and accuracy after each epoch, on the faces trained on and on those kept apart."
    return Section(draw.training_curves(log), says, tuple(c.replace("_", " ") for c in columns), rows)

"""Measured figures as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mien.cli._text import printable

if TYPE_CHECKING:
    from mien.zoo.card import Card, Metric

_WIDTH = 28


def calibration_line(card: Card) -> str:
    """Return the temperature and the threshold of a card, and what makes them doubtful."""
    from mien.evaluation.calibration import doubts

    said = "".join(f" ({text})" for text in doubts(card))
    return f"temperature {card.temperature:g}, threshold {card.threshold:g}{said}"


def metric_lines(metrics: Sequence[Metric]) -> Iterator[str]:
    """Yield one line a figure: its name, value, 95 % interval, the data and how it was measured."""
    for metric in metrics:
        interval = "" if metric.low is None else f" [{metric.low:.4f}, {metric.high:.4f}]"
        name = f"{printable(metric.name):<{_WIDTH}}"
        yield f"{name}{metric.value:.4f}{interval}  ({printable(metric.data)}; {printable(metric.protocol)})"
    figures = {metric.name: metric.value for metric in metrics}
    if figures.get("coverage") == 0 and "answered_accuracy" not in figures:
        yield f"{'answered_accuracy':<{_WIDTH}}n/a  (no face is at or above the threshold)"

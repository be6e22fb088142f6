"""The page of a training run: what was trained, how it went, what came out (extra `report`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from mien import figures as draw
from mien.core.files import atomic_write
from mien.evaluation import metrics
from mien.evaluation._html import headlines_of, render
from mien.evaluation._sections import run_sections
from mien.zoo.card import Card

CURVES = "curves"


@dataclass(frozen=True, slots=True)
class RunPage:
    """What the page says, as it is shown.

    Attributes:
        name: of the run.
        intro: one sentence about how far it came.
        headlines: name, value, interval and protocol of the figures that come first.
        facts: name and text of what was trained on what, and what it costs.
        recipe: what the changed options are changed from.
        changes: option, its value, the recipe's value.
        options: every option and its value.
        protocol: how the test faces were measured; empty where there were none.
        command: that makes the run again.
        limits: paragraphs on use and limits.
        note: the decision that someone wrote down, or empty.
        problems: what could not be read.
    """

    name: str
    intro: str
    headlines: Sequence[tuple[str, str, str, str]]
    facts: Sequence[tuple[str, str]]
    recipe: str
    changes: Sequence[tuple[str, str, str]]
    options: Sequence[tuple[str, str]]
    protocol: str
    command: str
    limits: Sequence[str]
    note: str = ""
    problems: Sequence[str] = ()


def write_run_page(
    folder: Path,
    page: RunPage,
    log: Mapping[str, Sequence[float]] | None,
    figures: Mapping[str, Any] | None,
) -> Path:
    """Write report.html into `folder`, and curves.png and curves.svg where there is a log; return the page.

    Args:
        folder: exists; files of an earlier page in it are replaced.
        page: its texts.
        log: the columns of log.csv.
        figures: on the test faces, as metrics.json has them.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
        OutputError: a file cannot be written.
    """
    rows = list(page.headlines)
    for name, *texts in [] if figures is None else headlines_of(figures["metrics"]):
        value, interval, protocol = texts
        rows.append((f"test {name}", value, interval, protocol))
    parts = run_sections(figures, log)
    html = render("run.html.j2", f"Run {page.name}", rows, parts, date.today(), facts=page.facts, run=page)
    if log:
        curves = draw.training_curves(log)
        for suffix in (".png", ".svg"):
            curves.write(folder / (CURVES + suffix))
    # Last, so that a report.html stands for a whole report.
    atomic_write(folder / "report.html", html)
    return folder / "report.html"


def figures_of_card(card: Card) -> dict[str, Any] | None:
    """Return what metrics.json would hold, as far as a card says it; None where it was not measured."""
    accuracy = card.metric("accuracy")
    if accuracy is None:
        return None
    confusion = np.array(card.confusion, np.int64)
    whole = confusion.shape == (len(card.labels), len(card.labels))
    scores = metrics.precision_recall_f1(confusion) if whole else ()
    support = confusion.sum(1) if whole else ()
    return {
        "data": accuracy.data,
        "labels": list(card.labels),
        "metrics": {
            m.name: {"value": m.value, "low": m.low, "high": m.high, "protocol": m.protocol}
            for m in card.metrics
        },
        "confusion": confusion.tolist() if whole else [],
        "confusion_rates": metrics.rates(confusion).tolist() if whole else [],
        "per_label": {
            label: {"precision": row[0], "recall": row[1], "f1": row[2], "support": int(faces)}
            for label, row, faces in zip(card.labels, scores, support, strict=False)
        },
    }

"""The pages of reports, made with jinja2 (extra `report`): one template that all of them extend."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from mien.core.errors import MissingExtraError
from mien.core.version import __version__
from mien.evaluation._sections import Section
from mien.figures import DARK, LIGHT, Theme
from mien.figures.style import percent
from mien.zoo.card import Card

_TEMPLATES = Path(__file__).parent / "templates"
_HEADLINES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "top_2_accuracy": "top-2 accuracy",
    "expected_calibration_error": "calibration error",
    "log_loss": "log-loss",
    "brier_score": "Brier score",
    "coverage": "coverage",
    "answered_accuracy": "accuracy where answered",
}


def page(card: Card, figures: Mapping[str, Any], parts: Sequence[Section], today: date) -> str:
    """Return the report on a model as one HTML page; errors are those of `render`."""
    rows = headlines_of(figures["metrics"])
    area = figures.get("roc_auc", {}).get("macro")
    if area is not None:
        rows.append(("mean area under ROC", f"{area:.3f}", "", ""))
    title = f"{figures['model']['name']} on {figures['data']}"
    return render(
        "report.html.j2",
        title,
        rows,
        parts,
        today,
        facts=_facts(card, figures),
        figures=figures,
        card=card,
    )


def render(
    template: str,
    title: str,
    headlines: Sequence[tuple[str, str, str, str]],
    parts: Sequence[Section],
    today: date,
    *,
    facts: Sequence[tuple[str, str]] = (),
    **values: Any,
) -> str:
    """Return one HTML page that loads nothing: headlines, figures with the tables behind them, facts.

    Every text is escaped; the page's own policy forbids scripts and anything from elsewhere.

    Args:
        template: extends page.html.j2 and fills its blocks.
        title: of the page.
        headlines: name, value, a second line and a hint of each.
        parts: the figures.
        today: when it was made.
        facts: rows of the last table.
        values: what the template names besides.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", "report") from None
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        title=title,
        headlines=headlines,
        parts=pictured(parts),
        facts=facts,
        light=LIGHT,
        dark=DARK,
        today=today.isoformat(),
        version=__version__,
        **values,
    )


def pictured(parts: Sequence[Section]) -> list[tuple[Section, str, str]]:
    """Return each part with its figure for light and for dark pages, as data URIs."""
    return [(part, _picture(part, LIGHT), _picture(part, DARK)) for part in parts]


def _picture(part: Section, theme: Theme) -> str:
    """Return a data URI; figures apart from each other cannot share names of shapes by mistake."""
    if part.plot.raster:
        return data_uri(part.plot.png(theme, titled=False), "png")
    return data_uri(part.plot.svg(theme, titled=False, small=True).encode("utf-8"), "svg+xml")


def data_uri(content: bytes, kind: str) -> str:
    """Return a picture as an address that holds it; `kind` is such as "png"."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def headlines_of(metrics: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Return name, value, interval and protocol of every figure that is there; shares as per cent."""
    shares = ("accuracy", "balanced_accuracy", "top_2_accuracy", "coverage", "answered_accuracy")
    rows = []
    for key, name in _HEADLINES.items():
        if (metric := metrics.get(key)) is None:
            continue
        show = (lambda value: percent(value, 1)) if key in shares else "{:.3f}".format
        interval = ""
        if metric.get("low") is not None:
            interval = f"{show(metric['low'])} to {show(metric['high'])}"
        rows.append((name, show(metric["value"]), interval, metric.get("protocol", "")))
    if (metrics.get("coverage") or {}).get("value") == 0 and "answered_accuracy" not in metrics:
        rows.append((_HEADLINES["answered_accuracy"], "n/a", "", "no face is at or above the threshold"))
    return rows


def _facts(card: Card, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    size = f"{card.input.width}×{card.input.height} {'grey' if card.input.colour == 'gray' else 'RGB'}"
    training = card.training
    facts = [
        ("labels, in order", ", ".join(card.labels)),
        ("input", size),
        ("architecture", card.architecture),
        ("parameters", f"{card.parameters:,}" if card.parameters else ""),
        ("multiply-adds a face", f"{card.multiply_adds:,}" if card.multiply_adds else ""),
        ("precision", card.precision),
        ("temperature", f"{card.temperature:g}"),
        ("threshold", f"{card.threshold:g}"),
        ("trained on", f"{training['data']} ({training['faces']:,} faces)" if _says(training) else ""),
        ("milliseconds a face, one thread", _milliseconds(figures)),
        ("intended use", card.intended_use),
        ("limits", card.limits),
        ("licence", card.licence),
        ("SHA-256", figures["model"]["digest"]),
    ]
    return [(name, text) for name, text in facts if text]


def _says(training: Mapping[str, Any]) -> bool:
    """A card holds whatever its maker wrote."""
    return "data" in training and isinstance(training.get("faces"), int)


def _milliseconds(figures: Mapping[str, Any]) -> str:
    taken = figures.get("milliseconds_per_face")
    return "" if taken is None else f"{taken:.2f}"

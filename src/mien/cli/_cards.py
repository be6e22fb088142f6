"""A model's card for a reader: panels and tables on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mien.cli._text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from mien.zoo.card import Card, Metric
    from mien.zoo.layers import Layer
    from mien.zoo.store import Entry


def show(card: Card, digest: str, entry: Entry, layers: tuple[Layer, ...] | None) -> None:
    """Print the card, and the layers where they are given, to standard output."""
    if sys.stdout.isatty():
        from rich.console import Console

        draw(Console(file=sys.stdout), card, digest, entry, layers)
    else:
        for line in _lines(card, digest, entry, layers):
            sys.stdout.write(line + "\n")


def _facts(card: Card, digest: str, entry: Entry) -> Iterator[tuple[str, str]]:
    reads = card.input
    yield "name", card.name
    yield "file", f"{entry.path} ({entry.origin})"
    yield "sha256", digest
    yield "labels", ", ".join(card.labels)
    yield "input", f"{reads.width}×{reads.height} {reads.colour}, mean {reads.mean:g}, std {reads.std:g}"
    yield "architecture", card.architecture or "not stated"
    yield "parameters", _count(card.parameters)
    yield "multiply-adds", _count(card.multiply_adds)
    yield "precision", card.precision
    yield "temperature", f"{card.temperature:g}"
    yield "threshold", f"{card.threshold:g} (less likely emotions are uncertain)"
    yield "fine-tuning", _fine_tuning(card, entry)
    yield "licence", card.licence or "not stated"


def _fine_tuning(card: Card, entry: Entry) -> str:
    if not entry.twin_path.is_file():
        return f"no: {entry.twin_path.name} is not beside it"
    place = card.name if entry.origin != "file" else str(entry.path)
    return f"mien train DATA --from {place} --preset fine-tune"


def _texts(card: Card) -> Iterator[tuple[str, str]]:
    yield "intended use", card.intended_use or "not stated"
    yield "limits", card.limits or "not stated"


def _training(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as one line each: `optimizer.rate`."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _training(value, f"{before}{name}.")
        elif isinstance(value, (list, tuple)):
            yield f"{before}{name}", ", ".join(map(str, value))
        else:
            yield f"{before}{name}", str(value)


def _count(number: int | None) -> str:
    return "not stated" if number is None else f"{number:,}"


def _value(metric: Metric, number: float) -> str:
    return f"{number:.1%}" if "accuracy" in metric.name else f"{number:.3f}"


def _interval(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f"{_value(metric, metric.low)} to {_value(metric, metric.high)}"


def _lines(card: Card, digest: str, entry: Entry, layers: tuple[Layer, ...] | None) -> Iterator[str]:
    for name, text in _facts(card, digest, entry):
        yield f"{name}: {printable(text)}"
    for metric in card.metrics:
        interval = _interval(metric)
        measured = _value(metric, metric.value) + (f" (95 % interval {interval})" if interval else "")
        yield printable(f"{metric.name}: {measured}, {metric.data}; {metric.protocol}")
    for label, row in zip(card.labels, card.confusion, strict=False):
        yield printable(f"true {label}: " + ", ".join(_named_counts(card, row)))
    for name, text in _training(card.training):
        yield printable(f"training {name}: {text}")
    for name, text in _texts(card):
        yield f"{name}: {printable(text)}"
    for layer in layers or ():
        cells = (layer.name, layer.operator, _shape(layer), str(layer.parameters))
        yield "layer\t" + "\t".join(map(printable, cells))


def _named_counts(card: Card, row: tuple[int, ...]) -> Iterator[str]:
    return (f"{label} {count}" for label, count in zip(card.labels, row, strict=False))


def _shape(layer: Layer) -> str:
    return "unknown" if layer.shape is None else "×".join(map(str, layer.shape)) or "one number"


def draw(console: Console, card: Card, digest: str, entry: Entry, layers: tuple[Layer, ...] | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    console.print(_pairs(f"Model {card.name}", _facts(card, digest, entry)))
    if card.metrics:
        table = Table("Measured", "Value", "95 % interval", "Data", "Protocol", title="Metrics")
        for m in card.metrics:
            table.add_row(*_cells(m.name, _value(m, m.value), _interval(m), m.data, m.protocol))
        console.print(table)
    if card.confusion:
        table = Table("true ↓ read as →", title="Confusion, faces")
        for label in card.labels:
            table.add_column(escape(printable(label)), justify="right")
        for label, row in zip(card.labels, card.confusion, strict=False):
            table.add_row(*_cells(label, *map(str, row)))
        console.print(table)
    if card.training:
        console.print(_pairs("Training", _training(card.training)))
    console.print(_pairs("Use", _texts(card)))
    if layers:
        _draw_layers(console, layers)


def _draw_layers(console: Console, layers: tuple[Layer, ...]) -> None:
    from rich.table import Table

    table = Table("Layer", "Operator", "Output", "Parameters", title="Layers")
    table.columns[3].justify = "right"
    for layer in layers:
        table.add_row(*_cells(layer.name, layer.operator, _shape(layer), f"{layer.parameters:,}"))
    console.print(table)
    total = sum(layer.parameters for layer in layers)
    console.print(f"{len(layers)} in all, with {total:,} parameters", highlight=False)


def _pairs(title: str, pairs: Iterator[tuple[str, str]]) -> Any:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in pairs:
        grid.add_row(*_cells(name, text))
    return Panel(grid, title=Text(printable(title)), title_align="left", expand=False)


def _cells(*texts: str) -> list[Any]:
    from rich.text import Text

    return [Text(printable(text)) for text in texts]

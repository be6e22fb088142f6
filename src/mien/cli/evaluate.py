"""`mien evaluate`: how good a model is on labelled faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._text import printable
from mien.cli._training import Data

if TYPE_CHECKING:
    from mien.evaluation import Evaluation

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Measure a model on labelled faces: one forward pass a face, no test-time augmentation.

[bold]Examples[/bold]

  mien evaluate mien-base fer2013/test
  mien evaluate runs/mine/mine.onnx faces/test --output metrics.json

Accuracy comes with its Wilson 95 % interval and macro-F1 with a bootstrap interval. The calibration error \
says how far confidences and accuracy lie apart; coverage and answered accuracy say what abstaining below \
the card's threshold brings.

{_exits.HELP}
"""


@app.command("evaluate", help=_HELP)
def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Name of a model, or an .onnx file.", show_default=False)
    ],
    data: Data,
    split: Annotated[
        str | None,
        typer.Option(help="Split to measure on; the test split without it.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write all figures as JSON.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; every processor is used without it.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where the model runs.")] = "auto",
) -> None:
    """Load both, measure, show."""
    from mien.core.files import atomic_write
    from mien.datasets import load_dataset
    from mien.evaluation import evaluate as measure
    from mien.zoo.registry import load_model

    loaded = load_model(model, threads=threads, device=device)
    evaluation = measure(loaded, load_dataset(data, split, default="test"))
    figures: dict[str, Any] = {"model": loaded.reference.to_dict(), **evaluation.to_dict()}
    text = json.dumps(figures, indent=2)
    if output is not None:
        atomic_write(output, text + "\n")
    if as_json:
        typer.echo(text)
    else:
        _show(evaluation, figures)


def _show(evaluation: Evaluation, figures: dict[str, Any]) -> None:
    typer.echo(f"{figures['model']['name']} on {figures['faces']} faces of {printable(figures['data'])}")
    for metric in evaluation.metrics():
        interval = "" if metric.low is None else f"  [{metric.low:.4f}, {metric.high:.4f}]"
        typer.echo(f"{metric.name:<28}{metric.value:.4f}{interval}  ({metric.protocol})")
    width = max(12, *(len(label) + 2 for label in evaluation.labels))
    typer.echo(
        "\n" + "".join(f"{head:<{width}}" for head in ("label", "precision", "recall", "f1", "support"))
    )
    for label, row in figures["per_label"].items():
        cells = [f"{row[k]:.4f}" for k in ("precision", "recall", "f1")]
        typer.echo("".join(f"{cell:<{width}}" for cell in (printable(label), *cells, str(row["support"]))))
    typer.echo("\nconfusion (rows: true, columns: predicted)")
    typer.echo("".join(f"{printable(label):<{width}}" for label in ("", *evaluation.labels)))
    for label, counts in zip(evaluation.labels, figures["confusion"], strict=True):
        typer.echo("".join(f"{cell!s:<{width}}" for cell in (printable(label), *counts)))

"""`mien ensemble`: several models as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._metrics import calibration_line, metric_lines
from mien.cli._text import printable
from mien.core.errors import OptionError
from mien.training._extra import with_training

if TYPE_CHECKING:
    from mien.training.ensemble import Ensemble

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Write one ONNX file that averages what several models say, with a card; it runs wherever a model does.

[bold]Examples[/bold]

  mien ensemble mien-base runs/mine/mine.onnx --out both.onnx
  mien ensemble a.onnx b.onnx --out two.onnx --weights 2,1 --data faces/validation --test faces/test

Averaged are the calibrated probabilities. The models need the same labels, in any order; they may read \
other sizes, colours and scales. --data fits the temperature and the threshold on labelled faces that no \
member was trained on; without it the temperature is 1 and the threshold the mean of the members'. The file \
is checked against the average of its members. Needs the extra train.

{_exits.HELP}
"""


@app.command("ensemble", help=_HELP)
def ensemble(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL…", help="Two or more names or .onnx files.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option("--out", "--output", "-o", metavar="FILE", help="The ONNX file to write.")
    ],
    weights: Annotated[
        str | None,
        typer.Option(metavar="W,W,…", help="Share of each model; equal without it.", show_default=False),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the ensemble; the file's without it.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="Labelled faces to fit temperature and threshold on; of several splits validation.",
            show_default=False,
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="Faces to measure on, reported in the card; of several splits the test split.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Merge, fit, measure, say what came out."""
    from mien.datasets import load_dataset

    merging: Any = with_training(_load)
    made: Ensemble = merging.ensemble(
        models,
        out,
        weights=None if weights is None else _numbers(weights),
        name=name,
        validation=None if data is None else load_dataset(data, default="validation"),
        test=None if test is None else load_dataset(test, default="test"),
    )
    _show(made)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise OptionError(f"weights have to be numbers separated by commas, not {text!r}") from None


def _show(made: Ensemble) -> None:
    card = made.card
    size = made.path.stat().st_size / 1e6
    typer.echo(f"model {printable(str(made.path))} ({size:.1f} MB) and {printable(made.path.stem)}.json")
    typer.echo(f"largest difference to the average of the models: {made.largest_difference:.1g}")
    typer.echo(calibration_line(card))
    accuracies = made.accuracies or [None] * len(made.members)
    for member, accuracy in zip(made.members, accuracies, strict=True):
        alone = "" if accuracy is None else f", accuracy {accuracy:.4f} by itself"
        typer.echo(f"{printable(member.model.name)}: weight {member.weight:.3f}{alone}")
    for line in metric_lines(card.metrics):
        typer.echo(line)


def _load() -> Any:
    from mien.training import ensemble

    return ensemble

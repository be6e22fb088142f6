"""`mien export`: the best network of a run as a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _exits
from mien.cli._metrics import calibration_line, metric_lines
from mien.cli._training import Data, Int8, Test, Votes, training_data
from mien.cli.models import describe_conversion
from mien.training import door
from mien.training.run_folder import run_config

if TYPE_CHECKING:
    from mien.training.export import Export

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Export the best network of a run of mien train, also of one that is still going on.

[bold]Example[/bold]

  mien export runs/base fer2013/train --votes ferplus.csv --test fer2013/test --name mien-base

DATA (in any form that mien train reads), --votes and --test are those of the run: its validation part fits \
the temperature and the threshold, and checks that the ONNX file follows PyTorch. NAME.onnx and its card \
NAME.json are written; --int8 adds a twin of a quarter of the size, --ort both for ONNX Runtime on phones.

{_exits.HELP}
"""


@app.command("export", help=_HELP)
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.", show_default=False)],
    data: Data,
    votes: Votes = None,
    test: Test = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model; the folder's name without it.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Where to write; the run's folder without it.",
            show_default=False,
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            "--architecture",
            "--arch",
            metavar="package.module:Factory",
            help="The run's network where it is someone's own: its code is run.",
            show_default=False,
        ),
    ] = None,
    int8: Int8 = False,
    ort: Annotated[
        bool, typer.Option("--ort", help="Also write NAME.ort, for phones; and so for the int8 twin.")
    ] = False,
) -> None:
    """Read the run's faces again, export, say what came out."""
    from mien.zoo.ort_format import convert

    run_config(run, architecture)  # what is no run, or not to be run, is refused before the faces are read
    faces, reported, _ = training_data(data, votes, test)
    written = door.export(
        run, output, name=name, data=faces, test=reported, int8=int8, architecture=architecture
    )
    describe_export(written)
    for made in (written, written.int8) if ort else ():
        if made is not None:
            describe_conversion(convert(made.path))


def describe_export(export: Export) -> None:
    """Print where a model is and what was seen of it, and the same of its int8 twin."""
    _describe(export, "PyTorch")
    if export.int8 is not None:
        _describe(export.int8, "32-bit floating point")
        figures = export.int8.beside
        for part in ("validation", "test"):
            if f"{part}_accuracy" in figures:
                typer.echo(
                    f"int8 beside 32-bit floating point on the {part} faces: accuracy "
                    f"{figures[f'{part}_accuracy']:.1%} beside {figures[f'fp32_{part}_accuracy']:.1%}"
                )


def _describe(export: Export, original: str) -> None:
    card, parity = export.card, export.parity
    typer.echo(f"model {export.path} ({export.path.stat().st_size / 1e6:.1f} MB) and {card.name}.json")
    typer.echo(
        f"beside {original} on {parity.faces} validation faces: {parity.different_top} other top labels, "
        f"largest probability difference {parity.largest_difference:.1g}"
    )
    typer.echo(calibration_line(card))
    for line in metric_lines(card.metrics):
        typer.echo(line)

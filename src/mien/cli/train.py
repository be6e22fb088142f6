"""`mien train`: from labelled faces to a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._options import with_options
from mien.cli._progress import ProgressBar
from mien.cli._training import Data, Int8, Test, Votes, training_data, with_training
from mien.cli.export import describe_export
from mien.training.config import TrainingConfig
from mien.training.presets import PRESET_LABELS, PRESETS, resolve

if TYPE_CHECKING:
    from mien.training.schedules import EpochLog

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Train a model on labelled faces and export it.

[bold]Examples[/bold]

  mien train faces/ --output runs/mine
  mien train fer2013/train --votes ferplus.csv --test fer2013/test --output runs/base
  mien train faces/ --output runs/short --epochs 10 --learning-rate 0.02
  mien train fer2013/train --output runs/r1 --preset r1 --batch-size 64

DATA holds one folder of equally large grey or colour crops an emotion, as in faces/happy/1.png. A \
stratified part is kept apart to choose the epoch, the temperature and the threshold on. The run's folder \
holds the configuration, a log and checkpoints; the same command goes on where a stopped run stood. At the \
end the best network is written as NAME.onnx with its card NAME.json; use it with \
[bold]mien analyze --model[/bold].

{_exits.HELP}
"""


@app.command("train", help=_HELP)
@with_options(TrainingConfig, "given", "Recipe", given=True)
def train(
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the run.", show_default=False)
    ],
    given: dict[str, Any],
    votes: Votes = None,
    test: Test = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(PRESETS),
            help="Recipe to start from: that of a reference system as it is published, or Mien's own.",
            autocompletion=lambda: list(PRESETS),
            show_default=False,
        ),
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE.toml",
            help="Options by name, such as epochs = 20; they stand over the preset, and options given here "
            "over both.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Train on these emotions only, in this order; all of the data's without it (r5: five).",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN|FILE",
            help="Fine-tune the best weights of an earlier run, or those of a .safetensors file.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model; the folder's name without it.", show_default=False)
    ] = None,
    int8: Int8 = False,
) -> None:
    """Read the faces, train, export, say what came out."""
    config = resolve(preset, config_file, given)
    loop, exporting, starting = with_training(_load)
    begin = None if start is None else starting.read_start(start)
    chosen = labels.split(",") if labels else PRESET_LABELS.get(preset or "")
    faces, reported, shared = training_data(data, votes, test, chosen)
    counts = ", ".join(f"{label} {count}" for label, count in faces.counts().items())
    typer.echo(f"{len(faces)} faces ({counts})", err=True)
    if shared:
        typer.echo(f"{shared} faces that also stand in {str(test)!r} were left out", err=True)
    with ProgressBar(config.epochs, "Training") as bar:
        loop.train(
            faces,
            output,
            config,
            on_epoch=lambda log: typer.echo(_line(log, config.epochs)),
            on_step=lambda epoch, step, steps: bar.show(epoch * steps + step, config.epochs * steps),
            start=begin,
        )
    export = exporting.export(
        output, faces, output, name=name or output.resolve().name, test=reported, int8=int8
    )
    describe_export(export)


def _load() -> tuple[Any, Any, Any]:
    from mien.training import export, loop, start

    return loop, export, start


def _line(log: EpochLog, epochs: int) -> str:
    return (
        f"epoch {log.epoch}/{epochs}  loss {log.train_loss:.4f}  validation: loss {log.validation_loss:.4f}  "
        f"accuracy {log.validation_accuracy:.2%}{' *' if log.best else ''}  {log.seconds:.0f} s"
    )

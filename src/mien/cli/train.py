"""`mien train`: from labelled faces to a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._options import with_options
from mien.cli._progress import ProgressBar
from mien.cli._text import complain
from mien.cli._training import (
    DATA_FORMS,
    ConfigFile,
    Data,
    From,
    Init,
    Int8,
    LabelNames,
    Preset,
    Sha256,
    Test,
    Votes,
    begin_from,
    recipe_data,
    together,
)
from mien.cli.export import describe_export
from mien.core.errors import MissingExtraError
from mien.training import door
from mien.training._extra import check_training
from mien.training.config import TrainingConfig
from mien.training.presets import resolve
from mien.training.run_folder import write_left_out

if TYPE_CHECKING:
    from mien.training.export import Export

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Train a model on labelled faces and export it.

[bold]Examples[/bold]

  mien train faces/ --output runs/mine
  mien train fer2013/train --votes ferplus.csv --test fer2013/test --output runs/base
  mien train faces/ --output runs/short --epochs 10 --learning-rate 0.02
  mien train fer2013/train --output runs/r1 --preset r1 --batch-size 64
  mien train faces/ --output runs/mine --from mien-base --preset fine-tune
  mien train faces/ --output runs/small --arch r2 --width 0.35 --input-size 96
  mien train faces/ --output runs/pupil --teacher runs/one --teacher runs/two
  mien train faces/ --output runs/r2 --preset r2 --init mobilenet_v2.safetensors

{DATA_FORMS} Of data with several splits the training split is taken. All faces need one size: mien \
dataset convert --side 48 resizes them, mien dataset faces cuts them out of whole photos.

The epoch, the temperature and the threshold are chosen on the validation split of the data (validation/ or \
val/ beside train/), and without one on a stratified part that is kept apart (--validation). The run's \
folder holds the configuration, a log and checkpoints; the same command goes on where a stopped run stood. \
At the end the best network is written as NAME.onnx with its card NAME.json (use it with \
[bold]mien analyze --model[/bold]), and a report of the run as report.html. [bold]mien runs[/bold] lists and \
compares runs.

A few hundred faces are enough where a model is fine-tuned: --from mien-base --preset fine-tune. The labels \
may be your own; what the model knows of those that it shares with you it goes on from. Where the validation \
accuracy falls, lower --learning-rate; where it still rises at the end, raise --epochs; --freeze-epochs 3 \
lets the last layers learn first.

Where there are good networks already, --teacher lets a small one learn what they see in each face, and not \
only its label; --distil-weight and --distil-temperature say how much and how softly.

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
    preset: Preset = None,
    config_file: ConfigFile = None,
    labels: LabelNames = None,
    start: From = None,
    init: Init = None,
    sha256: Sha256 = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            "--teacher",
            metavar="MODEL|RUN|FILE",
            help="A network to learn from as well, in the very views that the student sees; give it several "
            "times for several. The folder of a cross-validation teaches each face by the network that never "
            "saw it.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model; the folder's name without it.", show_default=False)
    ] = None,
    int8: Int8 = False,
) -> None:
    """Read the faces, train, export, say what came out."""
    check_training()
    with together() as group:
        begin = begin_from(start, init, sha256)
        config = resolve(preset, config_file, given, None if begin is None else begin.network)
        with group.in_turn():
            faces, reported, left_out = recipe_data(data, votes, test, labels, preset)
        network = door.Network(faces.labels, config, begin)
        with ProgressBar(config.epochs, "Training") as bar:
            run = door.train(
                network,
                faces,
                output,
                config,
                teachers=teacher or (),
                places=_places(
                    {"data": data, "votes": votes, "test": test, "start": start, "init": init}
                    | {f"teacher-{number}": place for number, place in enumerate(teacher or (), 1)}
                ),
                on_epoch=lambda log: typer.echo(log.line(config.epochs)),
                on_step=lambda epoch, step, steps: bar.show(
                    epoch * steps + step, config.epochs * steps, f"Epoch {epoch + 1} of {config.epochs}"
                ),
            )
    if not group.first:
        return
    if left_out:
        write_left_out(output, left_out)
    export = door.export(run, name=name, test=reported, int8=int8)
    describe_export(export)
    _report(run, export)


def _places(given: Mapping[str, str | Path | None]) -> dict[str, str]:
    """Return where what was given lies: a model has a name, an address no place."""
    return {
        name: str(Path(place).resolve())
        for name, place in given.items()
        if place is not None and Path(place).exists()
    }


def _report(run: door.Run, export: Export) -> None:
    """The model is there already: what the report lacks is said, and no reason to fail."""
    try:
        path = run.report(export.evaluation)
    except MissingExtraError as error:
        complain(f"no report: {error}; then make it with: mien runs report {run.folder}")
    else:
        typer.echo(f"report {path}")

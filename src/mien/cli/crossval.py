"""`mien crossval`: how good a recipe is, with every face measured once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._options import with_options
from mien.cli._progress import ProgressBar
from mien.cli._text import complain, printable
from mien.cli._training import (
    ConfigFile,
    Data,
    From,
    Init,
    LabelNames,
    Preset,
    Sha256,
    Votes,
    begin_from,
    named,
    recipe_data,
)
from mien.training._extra import with_training
from mien.training.config import TrainingConfig
from mien.training.presets import resolve

if TYPE_CHECKING:
    from mien.core.spread import Spread
    from mien.evaluation.folds import FoldResults
    from mien.training.schedules import EpochLog

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Measure a recipe by cross-validation: every face once, by a network that was trained without it.

[bold]Examples[/bold]

  mien crossval faces/ --output runs/five
  mien crossval faces/ --output runs/r4 --preset r4 --folds 10
  mien crossval jaffe/ --output runs/tuned --from runs/base --epochs 10 --learning-rate 0.005

The faces are dealt to folds that have every emotion's share; copies of a picture, and the faces of a \
person where the data set knows them, stay in one fold. For each fold a network is trained on the others, of \
which --validation is kept apart to choose epoch, temperature and threshold; the fold itself is only \
measured. The output folder receives a run a fold (fold-1, ...) with its model, crossval.json and \
crossval.csv with mean and standard deviation, and predictions.csv with every held-out face. The same \
command goes on where a stopped one stood.

{_exits.HELP}
"""


@app.command("crossval", help=_HELP)
@with_options(TrainingConfig, "given", "Recipe", given=True)
def crossval(
    data: Data,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the results.", show_default=False),
    ],
    given: dict[str, Any],
    folds: Annotated[int, typer.Option(min=2, max=100, help="Parts that the faces are dealt to.")] = 5,
    votes: Votes = None,
    test: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="Faces to test on one day: those of DATA that also stand there are left out, as mien train "
            "leaves them out.",
            show_default=False,
        ),
    ] = None,
    preset: Preset = None,
    config_file: ConfigFile = None,
    labels: LabelNames = None,
    start: From = None,
    init: Init = None,
    sha256: Sha256 = None,
) -> None:
    """Read the faces, train and measure fold after fold, say what came out."""
    validation = with_training(_load)
    begin = begin_from(start, init, sha256)
    config = resolve(preset, config_file, given, None if begin is None else begin.network)
    faces, _, _ = recipe_data(data, votes, test, labels, preset, choosing=False)

    def tell(fold: int, log: EpochLog) -> None:
        typer.echo(f"fold {fold}/{folds}  {log.line(config.epochs)}")

    with ProgressBar(folds * config.epochs, "Cross-validating") as bar:

        def move(fold: int, epoch: int, step: int, steps: int) -> None:
            bar.show(((fold - 1) * config.epochs + epoch) * steps + step, folds * config.epochs * steps)

        try:
            results = validation.crossval(
                faces,
                output,
                config,
                folds,
                start=begin,
                on_fold=lambda done: _fold(done, folds),
                on_epoch=tell,
                on_step=move,
            )
        except KeyboardInterrupt:
            complain("stopped; the same command goes on")
            raise
    _show(results)
    if results.near:
        complain(
            "with a near copy in another fold, which makes them easier than new faces "
            f"{named(results.near)} (all in crossval.json; mien dataset check {printable(str(data))} shows "
            "their copies)"
        )


def _load() -> Any:
    from mien.training import crossval

    return crossval


def _fold(done: FoldResults, folds: int) -> None:
    evaluation, row = done.evaluations[-1], done.rows[-1]
    typer.echo(
        f"fold {len(done.rows)}/{folds}  measured on {len(evaluation.true)} held-out faces: "
        f"accuracy {row['accuracy']:.2%}  macro-F1 {row['macro_f1']:.4f}"
    )


def _show(results: FoldResults) -> None:
    width = max(18, *(len(printable(label)) + 2 for label in results.labels))
    typer.echo(f"\nmean ± standard deviation over {len(results.rows)} folds")
    for name, spread in results.figures().items():
        typer.echo(f"{name:<28}{_spread(spread)}")
    typer.echo("\n" + "".join(f"{head:<{width}}" for head in ("label", "precision", "recall", "f1")).rstrip())
    for label, row in results.per_label().items():
        cells = [printable(label), *(_spread(spread) for spread in row.values())]
        typer.echo("".join(f"{cell:<{width}}" for cell in cells).rstrip())
    pooled = results.pooled()
    accuracy = pooled["accuracy"]
    typer.echo(
        f"\nall {pooled['faces']} faces, each held out once: accuracy {accuracy['value']:.4f} "
        f"[{accuracy['low']:.4f}, {accuracy['high']:.4f}], macro-F1 {pooled['macro_f1']:.4f}"
    )


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.4f}" if spread.std is None else f"{spread.mean:.4f} ± {spread.std:.4f}"

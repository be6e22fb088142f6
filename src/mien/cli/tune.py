"""`mien tune`: a search for a better recipe."""

from __future__ import annotations

import re
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
    recipe_data,
)
from mien.core.errors import OptionError
from mien.training._extra import with_training
from mien.training.config import TrainingConfig
from mien.training.presets import resolve
from mien.training.search_space import PRUNERS, default_space, parse_search

if TYPE_CHECKING:
    from mien.training._trials import TrialResult
    from mien.training.tune import Tuning

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST_SHOWN = 5

_HELP = f"""
Search for a better recipe: train with many, end bad ones early, keep the best.

[bold]Examples[/bold]

  mien tune faces/ --output runs/search --trials 30 --epochs 12
  mien tune faces/ --output runs/search --timeout 8h --preset r4
  mien tune faces/ --output runs/rates --search learning_rate=1e-4..1e-1:log --search batch_size=32,64,128
  mien train faces/ --output runs/best --config runs/search/best.toml

The first trial is the recipe that is given, the others change it. Without --search they change the \
learning rate around the recipe's, weight decay, batch size, rotation, scale, light, erasing, label \
smoothing and mixup, but for those that are given as options. What counts is the best validation figure of a \
trial's epochs (--monitor); test faces take no part. It is chosen by that figure, so measure the best recipe \
on other faces.

The output folder receives a run a trial, trials.csv, and best.toml for [bold]mien train --config[/bold]; of \
the finished trials only the best keeps its weights. The same command goes on where a stopped search stood.

{_exits.HELP}
"""


@app.command("tune", help=_HELP)
@with_options(TrainingConfig, "given", "Recipe", given=True)
def tune(
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the search.", show_default=False)
    ],
    given: dict[str, Any],
    trials: Annotated[
        int, typer.Option(min=1, max=100_000, help="Finished trials that end it, earlier ones included.")
    ] = 20,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Stop after this time, as in 90m or 8h; the trial at work goes on with the next search.",
            show_default=False,
        ),
    ] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPTION=...",
            help="What to try: LOW..HIGH, LOW..HIGH:log or A,B,C; may be repeated, and replaces all that is "
            "tried without it.",
            show_default=False,
        ),
    ] = None,
    pruner: Annotated[
        str,
        typer.Option(
            metavar="|".join(PRUNERS),
            help="End a trial that is worse than the median was at its epoch; by Hyperband; or never.",
            autocompletion=lambda: list(PRUNERS),
        ),
    ] = PRUNERS[0],
    votes: Votes = None,
    preset: Preset = None,
    config_file: ConfigFile = None,
    labels: LabelNames = None,
    start: From = None,
    init: Init = None,
    sha256: Sha256 = None,
) -> None:
    """Read the faces, search, say what was best."""
    seconds = _seconds(timeout)
    if pruner not in PRUNERS:
        raise OptionError(f"unknown pruner {pruner!r}; choose one of {', '.join(PRUNERS)}")
    splitting, searching = with_training(_load)
    begin = begin_from(start, init, sha256)
    config = resolve(preset, config_file, given, None if begin is None else begin.network)
    space = parse_search(search or (), config)
    faces, _, _ = recipe_data(data, votes, None, labels, preset)
    space = space or default_space(config, len(splitting.split_data(faces, config).train), given)
    typer.echo(f"searching {'; '.join(map(str, space))}", err=True)
    with ProgressBar(trials * config.epochs, "Searching") as bar:

        def move(number: int, epoch: int, step: int, steps: int) -> None:
            done = ((number - 1) * config.epochs + epoch) * steps + step
            bar.show(done, trials * config.epochs * steps, f"Trial {number} of {trials}")

        try:
            found = searching.tune(
                faces,
                output,
                config,
                space,
                trials,
                timeout=seconds,
                pruning=pruner,
                start=begin,
                on_trial=lambda trial: typer.echo(_line(trial, trials, config.monitor)),
                on_step=move,
            )
        except KeyboardInterrupt:
            complain("stopped; the same command goes on")
            raise
    if found is None or found.finished < trials:
        done = 0 if found is None else found.finished
        complain(f"the time is up after {done} of {trials} trials; the same command goes on")
    if found is not None:
        _show(found, output, data)


def _load() -> tuple[Any, Any]:
    from mien.training import split, tune

    return split, tune


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([smhd]?)", text.strip())
    if match is None or not float(match[1]):
        raise OptionError(f"timeout has to be a time such as 90m, 8h or 600 (seconds), not {text!r}")
    return float(match[1]) * _SECONDS[match[2]]


def _line(trial: TrialResult, trials: int, monitor: str) -> str:
    options = ", ".join(f"{name} {_plain(value)}" for name, value in trial.options.items())
    head = f"trial {trial.number}/{trials}  "
    if trial.state == "failed":
        return f"{head}failed after {trial.epochs} epochs: {printable(trial.reason)}  ({options})"
    pruned = "  pruned" if trial.state == "pruned" else ""
    return (
        f"{head}validation {monitor} {_figure(trial, monitor)} of {trial.epochs} epochs{pruned}  ({options})"
    )


def _figure(trial: TrialResult, monitor: str) -> str:
    value = trial.value or 0.0
    return f"{value:.2%}" if monitor == "accuracy" else f"{value:.4f}"


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else printable(str(value))


def _show(found: Tuning, output: Path, data: Path) -> None:
    monitor, best = found.config.monitor, found.best
    sign = -1 if monitor == "accuracy" else 1
    complete = [trial for trial in found.trials if trial.state == "complete"]
    complete.sort(key=lambda trial: (sign * (trial.value or 0.0), trial.number))
    rows = [
        [str(trial.number), _figure(trial, monitor), *map(_plain, trial.options.values())]
        for trial in complete[:_MOST_SHOWN]
    ]
    table = [["trial", monitor, *best.options], *rows]
    widths = [max(map(len, column)) + 2 for column in zip(*table, strict=True)]
    typer.echo("")
    for row in table:
        typer.echo("".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    states = [trial.state for trial in found.trials]
    typer.echo(
        f"\n{found.finished} trials: {states.count('complete')} complete, {states.count('pruned')} pruned, "
        f"{states.count('failed')} failed"
    )
    typer.echo(
        f"best is trial {best.number}, chosen by its validation {monitor} {_figure(best, monitor)}: expect "
        "less on new faces"
    )
    recipe = printable(str(output / "best.toml"))
    typer.echo(
        f"recipe {recipe}; train with: mien train {printable(str(data))} --config {recipe} --output DIR"
    )

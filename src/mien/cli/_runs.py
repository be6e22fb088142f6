"""Runs for a reader: tables on a terminal, lines for programs in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mien.cli._text import printable
from mien.core.spread import Spread
from mien.training.run_folder import ARCHITECTURE, EVENTS, LOG
from mien.training.runs.command import command_here, start_of
from mien.training.runs.recipe import recipe_of
from mien.training.runs.record import Measured, RunRecord
from mien.training.runs.table import Experiment
from mien.training.runs.times import duration

_BLOCKS = "▁▂▃▄▅▆▇█"
_UNBOUND = 10_000  # columns; a table is measured before a terminal narrows it
_WIDEST = 60  # letters of a sparkline
_FILES = ("report.html", "curves.png", "metrics.json", LOG, ARCHITECTURE, EVENTS)


class _Row(NamedTuple):
    run: str
    network: str
    changed: str
    epochs: str
    validation: str
    test: str
    parameters: str
    work: str
    time: str
    state: str
    note: str


_HEADS = _Row(
    *("Run", "Network", "Recipe and changes", "Epochs", "Validation", "Test", "Parameters"),
    *("Multiply-adds", "Time", "State", "Decision"),
)
_RIGHT = {"epochs", "validation", "test", "parameters", "work", "time"}


def print_list(found: Sequence[Experiment]) -> None:
    """Print a row an experiment: a table as wide as the terminal, blocks where that is narrow, else tabs."""
    rows = [_row(experiment) for experiment in found]
    if not sys.stdout.isatty():
        for row in rows:
            _write("\t".join(printable(cell or "-") for cell in row))
    elif rows:
        _draw(rows)


def _row(experiment: Experiment) -> _Row:
    run = experiment.first
    names = [one.name for one in experiment.runs]
    epochs = sorted({len(one.log) for one in experiment.runs})
    reached = f"{epochs[0]}-{epochs[-1]}" if len(epochs) > 1 else f"{epochs[0]}"
    return _Row(
        run=", ".join(names),
        network=run.config.architecture,
        changed=experiment.changed,
        epochs=f"{reached}/{run.config.epochs}",
        validation=_spread(experiment.validation),
        test=_spread(experiment.test()),
        parameters=f"{run.size.parameters:,}" if run.size else "",
        work=f"{run.size.multiply_adds / 1e6:.1f} M" if run.size else "",
        time=duration(sum(one.seconds for one in experiment.runs)),
        state=experiment.state,
        note=experiment.notes,
    )


def _spread(found: Spread | None) -> str:
    if found is None:
        return ""
    deviation = "" if found.std is None else f" ± {found.std * 100:.1f}"
    return f"{found.mean * 100:.1f}{deviation} %"


def _draw(rows: Sequence[_Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout)
    shown = [name for name in _Row._fields if any(getattr(row, name) for row in rows)]
    table = Table()
    for name in shown:
        wraps = name in ("run", "changed", "note")
        table.add_column(
            getattr(_HEADS, name),
            justify="right" if name in _RIGHT else "left",
            no_wrap=not wraps,
            overflow="fold",
            min_width=9 if wraps else None,
        )
    for row in rows:
        table.add_row(*(Text(printable(getattr(row, name))) for name in shown))
    wide = console.options.update(max_width=_UNBOUND)
    if console.width >= console.measure(table, options=wide).minimum:
        console.print(table)
        return
    for row in rows:
        _write(printable(row.run))
        for name in shown[1:]:
            if cell := getattr(row, name):
                _write(f"  {getattr(_HEADS, name).lower()}: {printable(cell)}")


def print_run(run: RunRecord) -> None:
    """Print everything about one run on a screen."""
    _print_pairs(f"Run {run.name}", list(_facts(run)))
    if run.log:
        _write("")
        for line in _curves(run):
            _write(line)
    figures = list(_figures(run))
    if figures:
        _write("")
        _print_pairs("Measured", figures)
    _write("")
    _print_pairs("Files", [(name, str(run.path / name)) for name in _FILES if (run.path / name).exists()])
    _write("")
    _write_command(run)


def _write_command(run: RunRecord) -> None:
    command, known = command_here(run, Path.cwd())
    goes_on = run.state in ("interrupted", "not started") and run.whole
    _write(f"{'go on with it' if goes_on else 'make it again'}: {printable(command)}")
    if not known:
        _write("where the data lie is not written down there: put their paths in the place of the names")


def print_comparison(runs: Sequence[RunRecord], differing: Mapping[str, Sequence[Any]]) -> None:
    """Print what runs were given differently, and what came out, side by side."""
    results = [_results(run) for run in runs]
    came = {name: [result[name] for result in results] for name in results[0]}
    given = {name: ["–" if cell is None else str(cell) for cell in row] for name, row in differing.items()}
    if sys.stdout.isatty():
        _draw_comparison(runs, given, came)
        return
    _write("\t".join(["", *(printable(run.name) for run in runs)]))
    for name, row in {**given, **came}.items():
        _write("\t".join([name, *(printable(cell) for cell in row)]))


def _draw_comparison(
    runs: Sequence[RunRecord], given: Mapping[str, Sequence[str]], came: Mapping[str, Sequence[str]]
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("")
    for run in runs:
        table.add_column(Text(printable(run.name)), overflow="fold")
    for part in (given, came):
        for name, row in part.items():
            table.add_row(*(Text(printable(cell)) for cell in (name, *row)))
        table.add_section()
    Console(file=sys.stdout).print(table)


def _results(run: RunRecord) -> dict[str, str]:
    best, accuracy = run.best, run.test("accuracy")
    return {
        "state": run.mark,
        "epochs reached": f"{len(run.log)}/{run.config.epochs}",
        "best epoch": str(best.epoch) if best else "–",
        "validation accuracy": f"{best.validation_accuracy * 100:.1f} %" if best else "–",
        "validation loss": f"{best.validation_loss:.4f}" if best else "–",
        "test accuracy": _with_interval(accuracy, share=True) if accuracy else "–",
        "test macro-F1": _with_interval(found, share=False) if (found := run.test("macro_f1")) else "–",
        "parameters": f"{run.size.parameters:,}" if run.size else "–",
        "multiply-adds": f"{run.size.multiply_adds:,}" if run.size else "–",
        "ms a face": f"{run.cost['milliseconds_per_face']:.2f}" if run.cost else "–",
        "time": duration(run.seconds),
        "decision": run.note or "–",
    }


def _facts(run: RunRecord) -> Iterator[tuple[str, str]]:
    facts, best = run.facts, run.best
    yield "state", run.told
    yield "network", run.config.architecture
    yield "recipe", recipe_of(run.config).text()
    faces, kept = facts.get("faces"), facts.get("validation_faces")
    own = ", the data's own validation split" if facts.get("own_validation") else ""
    counts = (
        f" ({faces:,} faces, {kept:,} to validate on{own})"
        if isinstance(faces, int) and isinstance(kept, int)
        else ""
    )
    yield "data", f"{facts.get('data', 'not stated')}{counts}"
    yield "labels", ", ".join(run.labels) or "not stated"
    if run.votes:
        yield "crowd votes", "in the targets"
    if facts.get("start"):
        yield "started from", start_of(run)
    if run.size:
        yield "parameters", f"{run.size.parameters:,}, {run.size.trained:,} of them trained"
        yield "multiply-adds", f"{run.size.multiply_adds:,} a face"
    yield "epochs", f"{len(run.log)} of at most {run.config.epochs}"
    if run.log:
        yield "time", f"{duration(run.seconds)}; the last epoch {duration(run.log[-1].seconds)}"
    if best is not None:
        yield (
            "best epoch",
            f"{best.epoch} (validation {run.config.monitor}): accuracy "
            f"{best.validation_accuracy * 100:.2f} %, loss {best.validation_loss:.4f}",
        )
    if run.model is not None:
        yield "model", str(run.model)
    elif run.state == "finished":
        yield "model", "none here; mien export makes it"
    if run.note:
        yield "decision", run.note


def _figures(run: RunRecord) -> Iterator[tuple[str, str]]:
    faces = run.test_faces
    for name in ("accuracy", "macro_f1", "balanced_accuracy", "expected_calibration_error"):
        if (found := run.test(name)) is not None:
            on = f" on {faces:,} test faces" if faces else ""
            yield name.replace("_", " "), _with_interval(found, share="accuracy" in name) + on
    if run.cost:
        machine = f" ({run.cost['machine']})" if "machine" in run.cost else ""
        yield "speed", f"{run.cost['milliseconds_per_face']:.2f} ms a face on one thread{machine}"
        yield "size", f"{run.cost['bytes'] / 1e6:.1f} MB"


def _with_interval(found: Measured, *, share: bool) -> str:
    def text(value: float) -> str:
        return f"{value * 100:.1f} %" if share else f"{value:.3f}"

    if found.low is None or found.high is None:
        return text(found.value)
    return f"{text(found.value)} [{text(found.low)}, {text(found.high)}]"


def _curves(run: RunRecord) -> Iterator[str]:
    """One line a curve: its shape, and where it began and ended."""
    columns = {
        "train loss": [log.train_loss for log in run.log],
        "validation loss": [log.validation_loss for log in run.log],
        "validation accuracy": [log.validation_accuracy for log in run.log],
    }
    for name, values in columns.items():
        yield f"{name:<20}{sparkline(values)}  {values[0]:.3f} → {values[-1]:.3f}"


def sparkline(values: Sequence[float], widest: int = _WIDEST) -> str:
    """Return a curve as a line of blocks, the least value lowest; of many values every so many."""
    step = max(1, -(-len(values) // widest))
    chosen = [*values[::step]]
    low, high = min(chosen), max(chosen)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((value - low) * scale)] for value in chosen)


def _print_pairs(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    _write(printable(title))
    width = max((len(name) for name, _ in pairs), default=0) + 2
    for name, text in pairs:
        _write(f"  {name:<{width}}{printable(text)}")


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")

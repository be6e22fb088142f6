"""Fills the tables in the documentation from the code, so that they cannot disagree with it.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`. After a change to an option, a
public name, a column, a command, the default model or a run under docs/runs:

    .venv/bin/python docs/tables.py

`make test` fails while a table is out of date.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

REPOSITORY = Path(__file__).resolve().parent.parent
TABLE = re.compile(r"(<!-- table: (?P<name>\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def _rows(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n", 1)[0]


def options() -> str:
    """Return the options that can change a result."""
    from mien.core.options import AnalysisOptions

    return _options(AnalysisOptions)


def training() -> str:
    """Return the options of a training run."""
    from mien.training.config import TrainingConfig

    return _options(TrainingConfig)


def saving() -> str:
    """Return the options of saved faces."""
    from mien.core.gallery_options import GalleryOptions

    return _options(GalleryOptions)


def presets() -> str:
    """Return the presets of live pictures, value by value."""
    from mien.core.live_presets import PRESETS, live_options

    values = {
        name: of_picture.to_dict() | of_film.to_dict()
        for name in PRESETS
        for of_picture, of_film in [live_options(name)]
    }
    changed = [option for option in values["standard"] if any(option in p.options for p in PRESETS.values())]
    return _rows(
        ("", *(f"`{name}`" for name in PRESETS)),
        [
            ("for", *(preset.summary for preset in PRESETS.values())),
            *((f"`{option}`", *(f"`{values[name][option]}`" for name in PRESETS)) for option in changed),
        ],
    )


def _options(table: type[Any]) -> str:
    return _rows(
        ("option", "default", "values", "what it does"),
        (
            (f"`{option.name}`", f"`{option.default}`", _limits(**option.metadata), option.metadata["help"])
            for option in fields(table)
        ),
    )


def _limits(
    low: float | None,
    high: float | None,
    choices: tuple[str, ...] | None,
    form: tuple[str, str] | None,
    help: str,
) -> str:
    if choices or form:
        return ", ".join([*(choices or ()), *(form or ())[:1]])
    return "" if low is None or high is None else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def settings() -> str:
    """Return the settings of the web product."""
    from mien.web.settings_table import WebSettings, variable, written

    return _rows(
        ("variable", "default", "values", "what it does"),
        (
            (
                f"`{variable(setting.name)}`",
                f"`{written(setting.default)}`" if setting.default != "" else "",
                "true, false" if setting.type == "bool" else _limits(**setting.metadata),
                setting.metadata["help"],
            )
            for setting in fields(WebSettings)
        ),
    )


def names() -> str:
    """Return every public name of the package with the first line of its documentation."""
    import mien

    return _rows(
        ("name", "what it is"),
        (
            (
                f"`mien.{name}`",
                "the version, a string" if name == "__version__" else _first_line(getattr(mien, name)),
            )
            for name in mien.__all__
        ),
    )


def errors() -> str:
    """Return the tree of errors, as core/errors.py draws it."""
    from mien.core import errors

    tree = (errors.__doc__ or "").split("\n\n")[1]
    return f"```text\n{tree}\n```\n"


def columns() -> str:
    """Return every column of the tables that Mien writes."""
    from mien.records import COLUMNS

    return _rows(
        ("column", "kind", "meaning"),
        ((f"`{column.name}`", column.kind, column.meaning) for column in COLUMNS),
    )


def commands() -> str:
    """Return every command with its help text."""
    from mien.cli._main import COMMANDS

    rows = []
    for name, command in COMMANDS.items():
        made = typer.main.get_command(importlib.import_module(command.module).app)
        if isinstance(made, TyperGroup):
            rows += [(f"`mien {name} {sub}`", _help(made.commands[sub])) for sub in made.commands]
        else:
            rows.append((f"`mien {name}`", command.summary))
    return _rows(("command", "what it does"), rows)


def _help(command: Any) -> str:
    return str(command.get_short_help_str(200))


def model() -> str:
    """Return what the default model's card says about itself; `mien models show` prints the same."""
    from mien.zoo.registry import DEFAULT_MODEL, load_model

    card = load_model(DEFAULT_MODEL).card
    rows = [("labels, in order", ", ".join(card.labels))]
    if card.parameters and card.multiply_adds:
        rows.append(
            (
                "size",
                f"{card.parameters / 1e6:.1f} M parameters, "
                f"{card.multiply_adds / 1e6:.0f} M multiply-adds a face",
            )
        )
    for metric in card.metrics:
        interval = "" if metric.low is None else f" (95 % interval {metric.low:.3f} to {metric.high:.3f})"
        rows.append(
            (metric.name.replace("_", " "), f"{metric.value:.3f}{interval}; {metric.data}; {metric.protocol}")
        )
    return _rows((f"`{card.name}`", ""), rows)


def leaderboard() -> str:
    """Return what was claimed for each network beside what its run under docs/runs measured."""
    from mien.training.runs.leaderboard import results_table

    return _rows(*results_table(_stored()))


def costs() -> str:
    """Return what the networks of the leaderboard cost, and the machines that measured it."""
    from mien.training.runs.leaderboard import cost_table, machines

    return _rows(*cost_table(_stored())) + f"\nMilliseconds on: {'; '.join(machines(_stored()))}.\n"


def remake() -> str:
    """Return the command that makes each run of the leaderboard again."""
    from mien.training.runs.leaderboard import commands

    lines = "".join(f"$ {command}\n" for command in commands(_stored(), REPOSITORY / "docs" / "runs"))
    return f"<!-- not run: takes hours -->\n```console\n{lines}```\n"


def _stored() -> Sequence[Any]:
    from mien.training.runs.leaderboard import stored

    return stored(REPOSITORY / "docs" / "runs")


TABLES: dict[str, Callable[[], str]] = {
    table.__name__: table
    for table in (
        options,
        training,
        presets,
        saving,
        settings,
        names,
        errors,
        columns,
        commands,
        model,
        leaderboard,
        costs,
        remake,
    )
}


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]


def filled(text: str) -> str:
    """Return a page's text with its tables made anew."""
    return TABLE.sub(lambda match: match[1] + TABLES[match["name"]]() + match[3], text)


def main() -> None:
    """Rewrite the pages whose tables are out of date, and name them."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()

"""`mien manage`: Django's own commands, for administrators who know them."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mien.cli import _exits
from mien.cli._web import DataFolder, check_extra

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Run a command of Django on Mien's database.

What follows the name of the command goes to Django. 'mien manage help' lists the commands.

[bold]Examples[/bold]

  mien manage help

  mien manage migrate --plan

  mien manage --data /path/to/folder axes_reset

{_exits.HELP}
"""


@app.command(
    "manage", help=_HELP, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
def manage(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND [ARGUMENT]...", help="As Django takes it.")
    ],
    data: DataFolder = None,
) -> None:
    """Hand everything to Django."""
    check_extra()
    from mien.web import settings_table, start

    start.set_up(settings_table.read(data=None if data is None else os.fspath(data)))
    start.manage(command)

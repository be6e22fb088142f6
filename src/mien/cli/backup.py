"""`mien backup`: everything that the web product keeps, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _exits
from mien.cli._text import complain
from mien.cli._web import DataFolder, set_up
from mien.core.files import shown

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Save everything that the web product keeps to one file: database, pictures, key.

The server may go on meanwhile: the database in the file is of one moment. The file holds personal data and \
the key of the sessions, and is readable by its owner only; keep it as safe as the server.

[bold]Examples[/bold]

  mien backup mien-2026-11-21.zip

  mien backup --data /path/to/folder backup.zip

With PostgreSQL use pg_dump, and copy the folder web/pictures.

{_exits.HELP}
"""


@app.command("backup", help=_HELP)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to write, a ZIP file.")],
    data: DataFolder = None,
) -> None:
    """Write the file."""
    settings = set_up(data, prepare=False)
    from mien.web.backup import back_up

    made = back_up(settings, file)
    complain(f"saved the database and {made.pictures} pictures to {shown(file)}")

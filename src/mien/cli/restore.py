"""`mien restore`: a backup of the web product, put back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _exits
from mien.cli._text import complain
from mien.cli._web import DataFolder, set_up

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Put back what 'mien backup' saved.

Stop the server first. The file is checked from the first byte to the last before anything is touched; a \
backup of a newer version is refused, one of an older version is brought up to date.

[bold]Examples[/bold]

  mien restore mien-2026-11-21.zip

  mien restore --data /path/to/folder --replace backup.zip

{_exits.HELP}
"""


@app.command("restore", help=_HELP)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What mien backup wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Give up what the data folder holds now.")
    ] = False,
    data: DataFolder = None,
) -> None:
    """Check the file and put its content in place."""
    settings = set_up(data, prepare=False)
    from mien.web.backup import restore as put_back
    from mien.web.start import prepare

    backup = put_back(settings, file, replace=replace)
    prepare(settings, static_files=False)
    complain(f"restored the database and {backup.pictures} pictures as of {backup.made}")

"""What the commands of the web product share."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.core.errors import MissingExtraError

if TYPE_CHECKING:
    from mien.web.settings_table import WebSettings

DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Folder of everything that is kept, as MIEN_DATA.", show_default=False
    ),
]


def check_extra() -> None:
    """Make sure that the extra is there, before its modules are imported."""
    if find_spec("django") is None:
        raise MissingExtraError("django", "web")


def set_up(data: Path | None, *, prepare: bool = True) -> WebSettings:
    """Load Django with the settings of the environment, and bring the database up to date."""
    check_extra()
    from mien.web import settings_table, start

    settings = settings_table.read(data=None if data is None else os.fspath(data))
    start.set_up(settings)
    if prepare:
        start.prepare(settings, static_files=False)
    return settings

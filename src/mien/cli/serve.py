"""`mien serve`: the web product."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mien.cli import _exits
from mien.cli._text import printable
from mien.cli._web import DataFolder, check_extra

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Serve Mien as a web page and a REST service.

The first start makes a data folder with a database and a secret key; nothing else has to be installed or \
started. The server listens on this machine only unless --host says otherwise. Ctrl-C and SIGTERM let open \
requests finish.

[bold]Examples[/bold]

  mien serve --open

  mien serve --port 8080 --data /path/to/folder

  mien user create ada --admin

  MIEN_MODE=production ALLOWED_HOSTS=mien.example.org mien serve --host 0.0.0.0 --workers 4

  mien serve --settings

Every other setting is an environment variable; --settings lists them with their present values.

{_exits.HELP}
"""


@app.command("serve", help=_HELP)
def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on, as MIEN_HOST: 127.0.0.1 without it.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port, as PORT: 5000 without it; 0 takes a free one.", show_default=False),
    ] = None,
    data: DataFolder = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Server processes, as WEB_CONCURRENCY: 1 without it.", show_default=False),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the start page in the browser.")] = False,
    list_settings: Annotated[
        bool, typer.Option("--settings", help="List every setting with its present value, and stop.")
    ] = False,
) -> None:
    """Read the settings; list them, or serve."""
    from mien.web import settings_table

    folder = None if data is None else os.fspath(data)
    settings = settings_table.read(host=host, port=port, data=folder, web_concurrency=workers)
    if list_settings:
        _print_settings(settings)
        return
    check_extra()
    from mien.web.server import serve as run

    run(settings, open_browser=open_browser, say=_say)


def _say(line: str) -> None:
    print(printable(line), flush=True)


def _print_settings(settings: object) -> None:
    from mien.web import settings_table
    from mien.web.settings_table import WebSettings

    assert isinstance(settings, WebSettings)
    for name, present, default, help_text in settings_table.shown(settings):
        changed = "" if present == default else f"  (default: {default or 'empty'})"
        print(f"{name}={printable(present)}{changed}")
        print(f"    {help_text}")

"""`mien desktop`: the program with windows."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _exits
from mien.desktop._display import check_display

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Open the desktop program: photos, folders, films and the camera in a window.

[bold]Examples[/bold]

  mien desktop

  mien desktop photo.jpg interview.mp4 holidays/

  mien desktop --camera 1

Files can also be dropped on the window or pasted into it. F1 shows every key. Theme, camera, language \
(English, Vietnamese, Romanian) and filters are remembered.

{_exits.HELP}
"""


@app.command("desktop", help=_HELP)
def desktop(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Photos, films and folders to open.", show_default=False),
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|ADDRESS|FILE",
            help="Camera by number, rtsp:// address of a network camera, or a film in a camera's place; "
            "the one chosen last without it.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Classifier, as in mien analyze.", show_default=False),
    ] = None,
) -> None:
    """Check that a window can be opened and faces can be read, and open it."""
    check_display("or use mien analyze and mien live --no-window")

    from mien.core.machine import threads_beside_decoding
    from mien.core.options import AnalysisOptions
    from mien.pipeline.detect import create_detector
    from mien.zoo.registry import load_model

    loaded = load_model(model, threads=threads_beside_decoding())
    create_detector(AnalysisOptions().detector)
    importlib.import_module("mien.desktop.program").run(paths or (), model=loaded, camera=camera)

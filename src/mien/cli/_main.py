"""The program: the table of commands, and what happens around each of them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from mien.cli import _exits
from mien.cli._results import stop_printing
from mien.cli._text import complain
from mien.core.errors import MienError
from mien.core.files import reason
from mien.core.version import __version__


class _Command(NamedTuple):
    module: str
    summary: str


# Every command: a module with a Typer `app`, imported only when the command runs.
COMMANDS: dict[str, _Command] = {
    "analyze": _Command("mien.cli.analyze", "Find the faces in photos and read their emotions."),
    "live": _Command("mien.cli.live", "Read faces live, from a camera or a film in its place."),
    "desktop": _Command("mien.cli.desktop", "Open photos, films and the camera in a window."),
    "serve": _Command("mien.cli.serve", "Serve Mien as a web page and a REST service."),
    "user": _Command("mien.cli.user", "Make and list the accounts of the web product."),
    "backup": _Command("mien.cli.backup", "Save everything that the web product keeps to one file."),
    "restore": _Command("mien.cli.restore", "Put back what mien backup saved."),
    "manage": _Command("mien.cli.manage", "Run a command of Django on Mien's database."),
    "gallery": _Command("mien.cli.gallery", "List, draw, export and delete saved faces."),
    "demo": _Command("mien.cli.demo", "Analyse the sample photos that come with Mien."),
    "doctor": _Command("mien.cli.doctor", "Check this installation and say what to do."),
    "models": _Command("mien.cli.models", "List, show, add, get, convert and check models."),
    "train": _Command("mien.cli.train", "Train a model on labelled faces and export it."),
    "crossval": _Command("mien.cli.crossval", "Measure a recipe by cross-validation."),
    "runs": _Command("mien.cli.runs", "List, show, compare, report and keep training runs."),
    "tune": _Command("mien.cli.tune", "Search for a better recipe."),
    "evaluate": _Command("mien.cli.evaluate", "Measure a model on labelled faces."),
    "dataset": _Command("mien.cli.dataset", "Describe, check, split, convert, fetch and make data sets."),
    "predict": _Command("mien.cli.predict", "Write what a model says about every face of a data set."),
    "ensemble": _Command("mien.cli.ensemble", "Average several models into one file."),
    "explain": _Command("mien.cli.explain", "Show what a model sees in a face: layers, Grad-CAM, occlusion."),
    "export": _Command("mien.cli.export", "Export the best network of a training run."),
}


class _LazyGroup(TyperGroup):
    """Lists every command from the table, imports only the one that runs, and sees how it ends."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MienError as error:
            complain(error)
            raise typer.Exit(_exits.exit_code(error)) from error
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(_exits.INTERRUPTED) from None
        except OSError as error:
            raise typer.Exit(_refused(error)) from error

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, None, rest
        module = importlib.import_module(COMMANDS[name].module)
        command = typer.main.get_command(module.app)
        command.name = name
        return name, command, rest


app = typer.Typer(
    cls=_LazyGroup,
    name="mien",
    help="Read facial emotion from photos, offline.\n\n"
    "Start with [bold]mien demo[/bold], then [bold]mien analyze photo.jpg[/bold]. "
    "Every command explains itself: [bold]mien COMMAND --help[/bold].",
    epilog=_exits.HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mien {__version__}")
        raise typer.Exit


@app.callback()
def _mien(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and stop.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


def _placeholder() -> None:
    """Stands in the list of commands; `_LazyGroup` puts the real one in its place."""


for _name, _command in COMMANDS.items():
    app.command(_name, help=_command.summary)(_placeholder)


def run(args: Sequence[str] | None) -> int:
    """Run a command; turn whatever ends it into one line and an exit code."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal or file that cannot show a letter gets an escape, not a crash.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(args)
        sys.stdout.flush()
    except OSError as error:
        code = _refused(error)
    return code


def _open_closed_streams() -> None:
    """Python has None for a stream that was closed before it started; nothing is read or kept there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _refused(error: OSError) -> int:
    """Return the code for standard output that takes no more, which is the one thing that is written here."""
    if error.filename is not None:
        raise error
    stop_printing()
    if isinstance(error, BrokenPipeError):
        return _exits.PIPE_CLOSED
    complain(f"results cannot be written: {reason(error)}; make room or send them elsewhere")
    return _exits.NOTHING_DONE


def _run(args: Sequence[str] | None) -> int:
    try:
        typer.main.get_command(app)(args=None if args is None else list(args), prog_name="mien")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else _exits.DONE if stop.code is None else 1
    return _exits.DONE

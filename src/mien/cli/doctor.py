"""`mien doctor`: what is installed, what works, and what to do about the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated

import typer

from mien.cli import _checks, _exits
from mien.cli._checks import Check, Finding
from mien.cli._text import printable
from mien.core.errors import MienError

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Check this installation and say what to do.

Looks at Python, libraries, extras, models (their digests), detectors, processors, cameras and whether a \
window can be opened, and reads a sample photo. Lines begin with ok, note (missing, but not needed) or \
problem; a problem makes exit code 1.

[bold]Examples[/bold]

  mien doctor
  mien doctor --camera 0

{_exits.HELP}
"""

_SECTIONS: dict[str, Check] = {
    "Python": _checks.python,
    "Libraries": _checks.libraries,
    "Extras": _checks.extras,
    "Models": _checks.models,
    "Detectors": _checks.detectors,
    "Processors": _checks.compute,
    "Window": _checks.window,
    "Cameras": _checks.cameras,
    "Self-test": _checks.self_test,
}


@app.command("doctor", help=_HELP)
def doctor(
    camera: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="NUMBER", help="Also open this camera and read a picture.", show_default=False
        ),
    ] = None,
) -> None:
    """Run every check; one that breaks is a finding itself."""
    sections = dict(_SECTIONS)
    if camera is not None:
        sections["Camera"] = partial(_checks.camera, camera)
    problems = 0
    for title, check in sections.items():
        print(f"\n{title}")
        for finding in _guarded(check):
            _show(finding)
            problems += finding.state == "problem"
    print(f"\n{'Everything needed works.' if not problems else f'Problems: {problems}.'}", flush=True)
    raise typer.Exit(_exits.SOME_FAILED if problems else _exits.DONE)


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except MienError as error:
        yield Finding("problem", str(error))
    except Exception as error:  # the doctor has to get to the end whatever is broken
        yield Finding("problem", f"{type(error).__name__}: {error}", _checks.REINSTALL)


def _show(finding: Finding) -> None:
    colour = {"ok": "green", "note": "yellow", "problem": "red"}[finding.state]
    state = f"{finding.state:8}"
    if sys.stdout.isatty():
        state = typer.style(state, fg=colour)
    print(f"  {state}{printable(finding.text)}")
    if finding.advice:
        print(f"          → {printable(finding.advice)}")

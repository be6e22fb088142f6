"""What the tests of the command line share."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mien.core import images
from mien.testing import picture

SAMPLES = Path(__file__).resolve().parents[2] / "src" / "mien" / "samples"
FACE = SAMPLES / "eileen-collins.jpg"
NO_FACE = SAMPLES / "rocket-launch.jpg"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def make_photos(folder: Path, count: int) -> list[str]:
    """Write `count` small pictures without a face and return their names, sorted."""
    folder.mkdir()
    names = [str(folder / f"{number:03}.jpg") for number in range(count)]
    for number, name in enumerate(names):
        images.save(picture(seed=number), name)
    return names


def on_terminal(program: str, *, columns: int = 100, out: bool = True) -> tuple[bytes, bytes]:
    """Run a program of Python whose messages, and with `out` its output, go to a terminal.

    Returns what reached standard output where that is a pipe, and what reached the terminal.
    """
    pty = pytest.importorskip("pty", reason="needs a system with pseudo-terminals")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns)}
    command = [sys.executable, "-c", program]
    output = theirs if out else subprocess.PIPE
    with subprocess.Popen(command, stdout=output, stderr=theirs, env=environment) as process:
        os.close(theirs)
        piped = b"" if process.stdout is None else process.stdout.read()
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # Linux says so that the other end is closed
            pass
        os.close(ours)
    return piped, shown

"""The bar and the lines of a long command: each where it belongs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="needs a system with pseudo-terminals")

WORK = """
from mien.cli._progress import ProgressBar
with ProgressBar(10, "Training") as bar:
    bar.show(3, 10, "Epoch 1 of 2")
    print("epoch 1/2", flush=True)
"""


def run(*, terminal_out: bool) -> tuple[bytes, bytes]:
    """What reached standard output, where that is a pipe, and what reached the terminal."""
    ours, theirs = pty.openpty()
    out = theirs if terminal_out else subprocess.PIPE
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-c", WORK], stdout=out, stderr=theirs, env=environment
    ) as process:
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


def test_lines_reach_the_pipe_while_the_bar_is_on_the_terminal() -> None:
    piped, shown = run(terminal_out=False)
    assert piped == b"epoch 1/2\n"
    assert b"Epoch 1 of 2" in shown
    assert b"epoch 1/2" not in shown


def test_lines_stand_above_the_bar_on_one_terminal() -> None:
    _, shown = run(terminal_out=True)
    assert b"epoch 1/2\r\n" in shown
    assert b"Epoch 1 of 2" in shown

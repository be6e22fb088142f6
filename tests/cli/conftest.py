"""A small real model, real photos, and the command line in this process or another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli_support import Ended

from mien.cli import main
from mien.testing import write_model


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, a small model as the default, and no files of the person's own."""
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setenv("MODEL_PATH", str(write_model(models)))
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def mien(place: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """The command line in this process."""

    def run(*args: object) -> Ended:
        code = main([str(arg) for arg in args])
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """The command line in a process of its own."""
    with ExitStack() as stack:

        def begin(*args: str | bytes, **settings: object) -> subprocess.Popen[bytes]:
            pipes: dict[str, object] = {
                "stdin": subprocess.PIPE,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
            }
            pipes["bufsize"] = 0  # communicate() passes over what readline() has in its buffer
            command = [os.fsencode(arg) for arg in (sys.executable, "-m", "mien", *args)]
            pipes["preexec_fn"] = _heed_interrupts
            return stack.enter_context(subprocess.Popen(command, **{**pipes, **settings}))

        yield begin


def _heed_interrupts() -> None:
    """A shell's background jobs ignore Ctrl-C, and what they start inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

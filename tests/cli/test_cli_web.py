"""The commands of the web product where its extra is not installed, and where it is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Django as good as absent, wherever the tests run.
WITHOUT = "import sys; sys.modules['django'] = None; from mien.cli import main; sys.exit(main(sys.argv[1:]))"


def run_without(place: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *args], cwd=place, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "args",
    [
        ("serve",),
        ("user", "list"),
        ("user", "create", "ada"),
        ("manage", "check"),
        ("backup", "b.zip"),
        ("restore", "b.zip"),
    ],
    ids=" ".join,
)
def test_what_is_missing_is_said_in_one_sentence(place: Path, args: tuple[str, ...]) -> None:
    ended = run_without(place, *args)
    assert ended.returncode == 3
    assert ended.stderr == "mien: django is not installed; install it with: pip install 'mien[web]'\n"
    assert list(place.iterdir()) == []


def test_settings_are_listed_without_it(place: Path) -> None:
    ended = run_without(place, "serve", "--port", "8080", "--settings")
    assert ended.returncode == 0
    assert "PORT=8080" in ended.stdout


@pytest.mark.parametrize("command", ["serve", "user", "manage", "backup", "restore"])
def test_help_loads_nothing_of_it(place: Path, command: str) -> None:
    ended = run_without(place, command, "--help")
    assert ended.returncode == 0
    assert "mien " + command in ended.stdout

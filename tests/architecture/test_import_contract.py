"""The layers of ARCHITECTURE.md hold, and importing Mien is light."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = (
    *("torch", "django", "PySide6", "matplotlib", "cv2", "onnxruntime", "pandas", "scipy", "av"),
    *("numpy", "PIL"),
)
# What `--help` imports, for all of them at once.
EVERY_COMMAND = (
    "from importlib import import_module; from mien.cli import _main; "
    "[import_module(command.module) for command in _main.COMMANDS.values()]"
)


def kept(folder: Path) -> bool:
    """Whether the contract of pyproject.toml holds for the sources in this folder."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": "src"}
    )
    return done.returncode == 0


def rooms() -> set[str]:
    """Every room that the contract names; in parentheses where it is designed, not built."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return {room.strip() for line in layers for room in line.split("|")}


@pytest.fixture
def planted(tmp_path: Path):
    """Every room, empty, to plant one import in."""
    pytest.importorskip("importlinter", reason="needs the dev tools")
    (tmp_path / "pyproject.toml").write_bytes((REPOSITORY / "pyproject.toml").read_bytes())
    package = tmp_path / "src" / "mien"
    for room in ["", *(name.strip("()") for name in rooms())]:
        (package / room).mkdir(parents=True, exist_ok=True)
        (package / room / "__init__.py").touch()

    def plant(room: str, line: str) -> bool:
        (package / room / "__init__.py").write_text(line + "\n", encoding="utf-8")
        return kept(tmp_path)

    return plant


def test_the_contract_holds() -> None:
    pytest.importorskip("importlinter", reason="needs the dev tools")
    assert kept(REPOSITORY), "run: .venv/bin/lint-imports"


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("core", "import mien.zoo"),
        ("zoo", "import mien.cli"),
        ("render", "import mien.records"),
        ("batch", "import mien.training"),
        ("pipeline", "import torch"),
        ("evaluation", "import matplotlib.pyplot"),
    ],
)
def test_an_import_against_the_layers_is_seen(planted, room: str, line: str) -> None:
    assert not planted(room, line)


def test_an_import_along_the_layers_is_fine(planted) -> None:
    assert planted("cli", "import mien.core, mien.training")
    assert planted("training", "import torch")


def test_every_room_stands_in_the_contract() -> None:
    built = {path.parent.name for path in (REPOSITORY / "src/mien").glob("*/__init__.py")}
    assert {room for room in rooms() if not room.startswith("(")} == built


@pytest.mark.parametrize(
    "use",
    [
        "import mien",
        "import mien.cli",
        "import mien; dir(mien); mien.MienError; mien.Emotion.HAPPY.label('vi')",
        EVERY_COMMAND,
    ],
)
def test_importing_loads_no_heavy_library(use: str, tmp_path: Path) -> None:
    command = f"import sys; {use}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split() == []


def test_importing_changes_nothing(tmp_path: Path) -> None:
    command = (
        "import logging, os, sys; before = dict(os.environ), list(logging.root.handlers);"
        "import mien.cli; assert (dict(os.environ), list(logging.root.handlers)) == before"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", command], check=True, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []

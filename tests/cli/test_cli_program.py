from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import mien
from mien.cli import main
from mien.cli._exits import exit_code
from mien.cli._main import COMMANDS, app
from mien.cli._text import printable
from mien.core import errors

HEAVY = ("torch", "cv2", "onnxruntime", "matplotlib", "django", "PySide6", "numpy", "pandas", "scipy", "av")


@pytest.mark.parametrize(
    "code",
    [
        "import mien.cli",
        "from mien.cli import main; assert main(['--help']) == 0",
        "from mien.cli import main; assert main(['analyze', '--help']) == 0",
    ],
)
def test_help_is_light(code: str) -> None:
    check = f"{code}\nimport sys\nprint('loaded:', *(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_every_command_is_listed_explained_and_there() -> None:
    runner = CliRunner()
    listed = runner.invoke(app, ["--help"], prog_name="mien").output
    for name, command in COMMANDS.items():
        assert name in listed
        assert command.summary.split()[0] in listed
        assert isinstance(importlib.import_module(command.module).app, typer.Typer)
        explained = runner.invoke(app, [name, "--help"], prog_name="mien")
        assert explained.exit_code == 0
        assert f"Usage: mien {name}" in explained.output
        assert "\\" not in explained.output


def test_version() -> None:
    done = subprocess.run([sys.executable, "-m", "mien", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"mien {mien.__version__}\n")


@pytest.mark.parametrize(
    "args", [["analize"], ["--nope"], ["analyze"], ["analyze", "a.jpg", "--min-face", "x"]]
)
def test_wrong_usage_is_two(args: list[str]) -> None:
    done = CliRunner().invoke(app, args, prog_name="mien")
    assert done.exit_code == 2


def test_a_mistyped_command_gets_a_suggestion() -> None:
    assert "analyze" in CliRunner().invoke(app, ["analize"], prog_name="mien").stderr


def test_shell_completion_knows_commands_options_and_values() -> None:
    def complete(words: str) -> str:
        env = {
            "_MIEN_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        return CliRunner().invoke(app, [], prog_name="mien", env=env).output

    assert "analyze" in complete("mien an")
    assert "--min-face" in complete("mien analyze --min")
    assert "yunet" in complete("mien analyze --detector y")


def test_every_error_of_the_tree_has_a_code() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.MienError)
    ]
    codes = {kind.__name__: exit_code(kind("x", "y")) for kind in kinds}
    assert set(codes.values()) == {2, 3}
    assert {name for name, code in codes.items() if code == 2} == {"OptionError", "ModelNotFoundError"}


def test_text_is_printed_on_one_line_and_visibly() -> None:
    assert printable("Ti\u1ebfng Vi\u1ec7t \U0001f600") == "Ti\u1ebfng Vi\u1ec7t \U0001f600"
    assert printable("a\nb\x1b[31m\udcff\u202e") == "a\\nb\\x1b[31m\\xff\\u202e"


def test_ctrl_c_before_a_command_runs_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("mien.cli._main.run", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "mien: interrupted\n"

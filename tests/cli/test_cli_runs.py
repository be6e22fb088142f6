"""The record of runs on the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_support import Ended, on_terminal
from run_support import add_model, make_run

Mien = Callable[..., Ended]


@pytest.fixture
def runs(place: Path) -> Path:
    """Two seeds of one recipe, the second with a model, and a run that was stopped."""
    make_run(place / "runs" / "a", 0.4, 0.6)
    add_model(make_run(place / "runs" / "b", 0.4, 0.62, seed=1), 0.5)
    make_run(place / "runs" / "stopped", 0.3, epochs=30, erase=0.5)
    return place / "runs"


def test_list_has_a_line_for_each_experiment(mien: Mien, runs: Path) -> None:
    done = mien("runs", "list")
    assert done.code == 0, done.err
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert lines[0][:6] == ["a, b", "r5", "Mien's; epochs 2", "2/2", "61.0 ± 1.4 %", "50.0 %"]
    assert lines[1][0] == "stopped"
    assert "erase 0.5" in lines[1][2]
    assert lines[1][9] == "interrupted"
    assert len(mien("runs", "list", "--each").out.splitlines()) == 3


def test_list_as_json_and_as_a_table(mien: Mien, runs: Path) -> None:
    done = mien("runs", "list", "runs", "--json", "--csv", "table.csv")
    assert [run["name"] for run in json.loads(done.out)] == ["a", "b", "stopped"]
    assert len(list(csv.reader(Path("table.csv").read_text().splitlines()))) == 3


def test_list_is_a_table_on_a_wide_terminal_and_blocks_on_a_narrow_one(runs: Path) -> None:
    program = "from mien.cli import main; main(['runs', 'list'])"
    _, wide = on_terminal(program, columns=170)
    assert "61.0 ± 1.4 %" in wide.decode()
    assert "│" in wide.decode()
    _, narrow = on_terminal(program, columns=70)
    assert "  validation: 61.0 ± 1.4 %\r\n" in narrow.decode()
    assert "│" not in narrow.decode()


def test_list_tells_what_is_no_run_and_goes_on(mien: Mien, runs: Path) -> None:
    (runs / "pictures").mkdir()
    (runs / "a" / "log.csv").write_text("no log")
    done = mien("runs", "list")
    assert done.code == 1
    assert "pictures: has no config.json" in done.err
    assert "a: log.csv is damaged" in done.err
    assert "stopped" in done.out


def test_show_gives_a_command_for_where_one_stands(
    mien: Mien, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--output runs/b-again" in mien("runs", "show", "runs/b").out
    monkeypatch.chdir(runs / "b")
    assert f"--output {runs.resolve() / 'b-again'}" in mien("runs", "show", ".").out


def test_show_says_everything(mien: Mien, runs: Path) -> None:
    assert mien("runs", "note", "runs/b", "kept: +2 points").code == 0
    done = mien("runs", "show", "runs/b")
    assert done.code == 0, done.err
    for words in ("finished", "kept: +2 points", "▁█", "0.400 → 0.620", "883,173", "50.0 % [40.0 %, 60.0 %]"):
        assert words in done.out
    assert "mien train made/train" in done.out
    shown = json.loads(mien("runs", "show", "runs/b", "--json").out)
    assert shown["log"]["validation_accuracy"] == [0.4, 0.62]
    assert shown["note"] == "kept: +2 points"


def test_compare_names_what_differs(mien: Mien, runs: Path) -> None:
    done = mien("runs", "compare", "runs/a", "runs/stopped")
    assert done.code == 0, done.err
    lines = {cells[0]: cells[1:] for cells in (line.split("\t") for line in done.out.splitlines())}
    assert lines["erase"] == ["0.2", "0.5"]
    assert lines["validation accuracy"] == ["60.0 %", "30.0 %"]
    assert "rotation" not in lines
    assert lines["epochs"] == ["2", "30"]
    assert lines["epochs reached"] == ["2/2", "1/30"]
    assert json.loads(mien("runs", "compare", "runs/a", "runs/b", "--json").out)["differences"] == {
        "seed": [0, 1]
    }


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("list", "nowhere"), 3, "not a folder"),
        (("show", "nowhere"), 3, "not a run"),
        (("compare", "runs/a"), 2, "two or more"),
        (("note", "runs", "x"), 3, "not a run"),
        (("report", "runs/a", "--test", "faces"), 2, "no exported model"),
        (("store", "runs/a"), 2, "DIR"),
    ],
)
def test_wrong_use_says_why(mien: Mien, runs: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    if arguments[0] == "report":
        for package in ("matplotlib", "jinja2", "sklearn"):
            pytest.importorskip(package, reason=f"needs {package}, of the report extra")
    done = mien("runs", *arguments)
    assert done.code == code, done.err
    assert says in done.err


def test_report_and_store(mien: Mien, runs: Path) -> None:
    for package in ("matplotlib", "jinja2", "sklearn"):
        pytest.importorskip(package, reason=f"needs {package}, of the report extra")
    done = mien("runs", "report", "runs/stopped")
    assert done.code == 0, done.err
    assert Path("runs/stopped/report.html").is_file()
    done = mien("runs", "store", "runs/b", "kept")
    assert done.code == 0, done.err
    assert "kept/b" in done.out
    assert not list(Path("kept/b").glob("*.onnx"))


def test_the_record_is_read_without_heavy_libraries(runs: Path) -> None:
    heavy = {"torch", "cv2", "onnxruntime", "matplotlib", "scipy", "numpy"}
    program = (
        "import sys; from mien.cli import main; code = main(['runs', 'list', 'runs']);"
        f"print(*sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=runs.parent)
    assert "stopped" in done.stdout
    assert done.stderr.split() == []

"""The page of a run, and the copy of it without weights."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from run_support import LABELS, add_model, make_run

from mien.core.errors import MienError, OutputError, TrainingError
from mien.datasets import FaceDataset
from mien.testing import crops
from mien.training.runs.command import command_of
from mien.training.runs.read import read_run

METRICS = '{"faces": 1, "data": "", "model": {"digest": "0"}, "metrics": %s}'


def made(faces: int = 12) -> FaceDataset:
    names = tuple(f"{i}.png" for i in range(faces))
    return FaceDataset(crops(faces), np.arange(faces) % 3, LABELS, names, source="made/test")


@pytest.fixture
def drawing() -> None:
    for package in ("matplotlib", "jinja2", "sklearn"):
        pytest.importorskip(package, reason=f"needs {package}, of the report extra")


@pytest.mark.usefixtures("drawing")
def test_an_interrupted_run_has_a_report(tmp_path: Path) -> None:
    from mien.training.runs.report import report_run

    folder = make_run(tmp_path / "<b>one", 0.4, 0.5, epochs=9, erase=0.5)
    (folder / "note.txt").write_text("<script>alert(1)</script>")
    text = report_run(folder).read_text(encoding="utf-8")
    assert "Interrupted: stopped after epoch 2 of 9" in text
    assert "No test faces were given" in text
    assert "<script" not in text
    assert "<b>one" not in text
    assert re.search(r"erase</th><td>0.5</td><td>0.2", text)
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in (folder / "curves.svg").read_text(encoding="utf-8")
    assert not (folder / "metrics.json").exists()
    report_run(make_run(tmp_path / "new"))
    assert not (tmp_path / "new" / "curves.png").exists()


@pytest.mark.usefixtures("drawing")
def test_a_report_holds_what_the_card_says_or_what_is_measured(tmp_path: Path) -> None:
    from mien.training.runs.report import report_run

    folder = make_run(tmp_path / "one", 0.4, 0.5)
    add_model(folder, 0.75)
    text = report_run(folder).read_text(encoding="utf-8")
    assert "75.0" in text
    assert {"training-curves", "confusion-matrix", "per-class"} == set(
        re.findall(r'panel" id="([\w-]+)"', text)
    )
    assert "Not for decisions about people." in text
    cost = json.loads((folder / "cost.json").read_text(encoding="utf-8"))
    assert cost["milliseconds_per_face"] > 0
    assert cost["bytes"] == (folder / "one.onnx").stat().st_size

    text = report_run(folder, test=made()).read_text(encoding="utf-8")
    assert 'id="reliability"' in text
    figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert figures["faces"] == 12
    assert (folder / "confusion_matrix.csv").is_file()
    assert "support" in (folder / "classification_report.txt").read_text(encoding="utf-8")
    measured = read_run(folder).test("accuracy")
    assert measured is not None
    assert measured.value == figures["metrics"]["accuracy"]["value"]
    assert "--test made/test" in command_of(read_run(folder))


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("broken", ["labels", "confusion", "per_label", "reliability"])
def test_figures_that_are_damaged_inside_are_an_error_in_words(tmp_path: Path, broken: str) -> None:
    from mien.training.runs.report import report_run

    folder = make_run(tmp_path / "one", 0.4)
    add_model(folder)
    report_run(folder, test=made())
    figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    (folder / "metrics.json").write_text(json.dumps({**figures, broken: {"angry": 1}}))
    with pytest.raises(TrainingError, match="measure again: mien runs report --test"):
        report_run(folder)


@pytest.mark.usefixtures("drawing")
def test_a_stored_run_is_small_whole_and_says_the_same(tmp_path: Path) -> None:
    from mien.training.runs.store import store_run

    folder = make_run(tmp_path / "runs" / "one", 0.4, 0.5)
    add_model(folder, 0.75)
    (folder / "last.safetensors").write_bytes(b"0" * 1000)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    place = store_run(folder, tmp_path / "docs", test=made())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert place == tmp_path / "docs" / "one"
    names = {path.name for path in place.iterdir()}
    assert names == {
        *("config.json", "run.json", "log.csv", "architecture.txt", "one.json", "metrics.json", "cost.json"),
        *("confusion_matrix.csv", "classification_report.txt", "report.html"),
    }
    assert sum(path.stat().st_size for path in place.iterdir()) < 250_000
    kept, run = read_run(place), read_run(folder)
    assert (kept.config, kept.log, kept.state, kept.problems) == (run.config, run.log, "finished", ())
    assert kept.test_faces == 12
    assert "Finished" in (place / "report.html").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="another folder"):
        store_run(folder, tmp_path / "runs")
    with pytest.raises(MienError):
        store_run(tmp_path, tmp_path / "docs")


@pytest.mark.usefixtures("drawing")
def test_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    from mien.training.runs.store import store_run

    folder = make_run(tmp_path / "runs" / "one", 0.4, 0.5)
    add_model(folder, 0.75)
    other = FaceDataset(crops(4), np.arange(4) % 2, ("bored", "tired"), ("a", "b", "c", "d"), source="other")
    with pytest.raises(MienError):  # the labels are seen to be others once the small files are there
        store_run(folder, tmp_path / "docs", test=other)
    assert not list((tmp_path / "docs").iterdir())
    (folder / "note.txt").write_text("first")
    place = store_run(folder, tmp_path / "docs", test=made())
    (place / "someone.txt").write_text("own")
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    with pytest.raises(MienError):
        store_run(folder, tmp_path / "docs", test=other)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    (folder / "note.txt").unlink()
    store_run(folder, tmp_path / "docs")
    assert not (place / "note.txt").exists()
    assert (place / "someone.txt").exists()
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["one"]
    (place / "last.safetensors").touch()
    with pytest.raises(OutputError, match="a run itself"):
        store_run(folder, tmp_path / "docs")

"""Everything that is written about a film, from the door that the commands use."""

from __future__ import annotations

import importlib.util
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image
from timeline_support import RATE, face, head

from mien.core.errors import OptionError, OutputError
from mien.core.results import FrameAnalysis
from mien.records import read_all, read_summary
from mien.video.outputs import SUFFIXES, FilmOutputs

pytest.importorskip("pyarrow", reason="needs the extra records")
pytest.importorskip("matplotlib", reason="needs matplotlib, of the report extra")

EVERYTHING = [
    "talk-detect-video.json",
    "talk-summary.json",
    "talk-timeline-dark.png",
    "talk-timeline-dark.svg",
    "talk-timeline.png",
    "talk-timeline.svg",
    "talk.csv",
    "talk.eaf",
    "talk.jsonl",
    "talk.parquet",
    "talk.srt",
    "talk.vtt",
]


def frames(count: int) -> list[FrameAnalysis]:
    """One who is happy, then sad; another who comes later, uncertain."""
    made = []
    for index in range(count):
        faces = [face(0, "happy" if index < count / 2 else "sad")]
        if index > count / 4:
            faces.append(face(1, None))
        made.append(FrameAnalysis(index, index / RATE, tuple(faces)))
    return made


def written(target: Path, count: int = 100, **options: str) -> FilmOutputs:
    with FilmOutputs(target, head(), **options) as outputs:
        for frame in frames(count):
            outputs.write(frame)
    return outputs


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_and_fail(outputs: FilmOutputs, error: type[BaseException], count: int = 21) -> None:
    for frame in frames(40)[:count]:
        outputs.write(frame)
    raise error


def test_a_folder_gets_everything(tmp_path: Path) -> None:
    outputs = written(tmp_path / "new" / "results")
    folder = tmp_path / "new" / "results"
    assert sorted(path.name for path in folder.iterdir()) == EVERYTHING
    assert sorted(path.name for path in outputs.paths) == EVERYTHING
    assert outputs.left_out == {}
    assert read_summary(folder / "talk-summary.json") == outputs.summary
    assert outputs.summary is not None
    assert outputs.summary.complete
    assert [event.label for event in outputs.summary.events] == ["happy", "sad"]
    assert len(read_all(folder / "talk.jsonl")) == 100
    with Image.open(folder / "talk-timeline-dark.png") as picture:
        assert picture.convert("RGB").getpixel((1, 1)) == (0x17, 0x19, 0x1E)
    assert ET.parse(folder / "talk.eaf").getroot().tag == "ANNOTATION_DOCUMENT"
    assert (folder / "talk.vtt").read_text("utf-8").startswith("WEBVTT")


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".SRT"])
def test_one_file_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    written(tmp_path / f"one{suffix}", 30)
    assert [path.name for path in tmp_path.iterdir()] == [f"one{suffix}"]


def test_several_films_share_a_folder(tmp_path: Path) -> None:
    written(tmp_path, 10, stem="one")
    written(tmp_path, 10, stem="two", language="vi")
    assert len(list(tmp_path.iterdir())) == 2 * len(EVERYTHING)
    assert "#0 happy" in (tmp_path / "one.srt").read_text("utf-8")
    assert "#0 Vui vẻ" in (tmp_path / "two.srt").read_text("utf-8")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutputError, ZeroDivisionError])
def test_an_interrupted_film_leaves_readable_files(tmp_path: Path, error: type[BaseException]) -> None:
    outputs = FilmOutputs(tmp_path, head())
    with pytest.raises(error), outputs:
        write_and_fail(outputs, error)
    assert sorted(path.name for path in tmp_path.iterdir()) == EVERYTHING
    summary = read_summary(tmp_path / "talk-summary.json")
    assert (summary.complete, summary.frames) == (False, 21)
    assert len(read_all(tmp_path / "talk.jsonl")) == 21
    assert (
        json.loads((tmp_path / "talk-detect-video.json").read_text("utf-8"))["summary"]["total_frames"] == 21
    )
    assert "00:00:00.840" in (tmp_path / "talk.vtt").read_text("utf-8")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutputError])
def test_an_interrupted_run_leaves_the_complete_files_of_an_earlier_one(
    tmp_path: Path, error: type[BaseException]
) -> None:
    written(tmp_path, 100)
    (tmp_path / "talk.parquet").unlink()  # as where pyarrow came later
    before = contents(tmp_path)
    with pytest.raises(error), FilmOutputs(tmp_path, head()) as outputs:
        write_and_fail(outputs, error)
    assert contents(tmp_path) == before
    assert not outputs.summary.complete
    written(tmp_path, 40)
    assert read_summary(tmp_path / "talk-summary.json").frames == 40


@pytest.mark.parametrize("damage", ["incomplete", "[]", "{", ""])
def test_files_of_an_earlier_run_that_are_not_complete_are_replaced(tmp_path: Path, damage: str) -> None:
    if damage == "incomplete":
        with pytest.raises(KeyboardInterrupt), FilmOutputs(tmp_path, head()) as outputs:
            write_and_fail(outputs, KeyboardInterrupt, 3)
    else:
        written(tmp_path, 100)
        (tmp_path / "talk-summary.json").write_text(damage)
    with pytest.raises(KeyboardInterrupt), FilmOutputs(tmp_path, head()) as outputs:
        write_and_fail(outputs, KeyboardInterrupt)
    assert read_summary(tmp_path / "talk-summary.json").frames == 21
    assert len(read_all(tmp_path / "talk.jsonl")) == 21


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".json", ".srt", ".png"])
def test_an_interrupted_run_leaves_an_earlier_file_alone(tmp_path: Path, suffix: str) -> None:
    written(tmp_path / f"one{suffix}", 100)
    before = contents(tmp_path)
    with pytest.raises(KeyboardInterrupt), FilmOutputs(tmp_path / f"one{suffix}", head()) as outputs:
        write_and_fail(outputs, KeyboardInterrupt)
    assert contents(tmp_path) == before


def test_new_files_take_their_names_only_when_all_are_written(tmp_path: Path) -> None:
    written(tmp_path, 100)
    (tmp_path / "talk-timeline-dark.svg").unlink()
    before = contents(tmp_path)
    (tmp_path / "talk-timeline-dark.svg").mkdir()  # the last file cannot be written
    with pytest.raises(OutputError, match=r"talk-timeline-dark\.svg' is a folder"):
        written(tmp_path, 10)
    (tmp_path / "talk-timeline-dark.svg").rmdir()
    assert contents(tmp_path) == before


def test_a_film_that_fails_before_its_first_frame_leaves_nothing(tmp_path: Path) -> None:
    outputs = FilmOutputs(tmp_path, head())
    with pytest.raises(ZeroDivisionError), outputs:
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_film_without_faces_has_its_files(tmp_path: Path) -> None:
    with FilmOutputs(tmp_path, head()) as outputs:
        outputs.write(FrameAnalysis(0, 0.0, ()))
    assert sorted(path.name for path in tmp_path.iterdir()) == EVERYTHING


def test_what_cannot_be_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.docx.*\.srt"):
        FilmOutputs(tmp_path / "a.docx", head())
    with pytest.raises(OptionError, match="language"):
        FilmOutputs(tmp_path, head(), language="tlh")
    with pytest.raises(OutputError, match="nowhere"):
        FilmOutputs(tmp_path / "nowhere" / "a.srt", head())
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        FilmOutputs(tmp_path / "file", head())


def test_a_package_that_is_missing_leaves_its_files_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    gone = {"pyarrow", "matplotlib"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in gone else real(name))
    outputs = written(tmp_path, 10)
    assert set(outputs.left_out) == {name for name in EVERYTHING if "timeline" in name or "parquet" in name}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(set(EVERYTHING) - set(outputs.left_out))

"""`mien live` with a film in a camera's place, and `mien gallery` with what it saved."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_support import FACE, on_terminal

from mien.core import images
from mien.video.film import Film
from mien.video.write import FilmWriter

SECONDS, RATE = 2, 5


@pytest.fixture
def film(place: Path) -> str:
    """A short film of one face."""
    pixels = np.asarray(cv2.resize(images.load(FACE), (240, 240), interpolation=cv2.INTER_AREA), np.uint8)
    with FilmWriter(place / "film.mp4", 240, 240, rate=RATE) as writer:
        for number in range(SECONDS * RATE):
            writer.write(pixels, number / RATE)
    return "film.mp4"


def live(film: str, *more: object) -> tuple[object, ...]:
    return ("live", "--no-window", "--source", film, "--detector", "haar", *more)


def test_a_line_is_printed_each_second(mien, film: str) -> None:
    ended = mien(*live(film))
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert len(lines) == 3, "the first of each second, and the last one"
    assert lines[0].startswith("    0.0 s")
    assert all("frames/s" in line and "ms" in line and "#0 " in line for line in lines)
    assert "frames read" in ended.err


def test_lines_of_json_hold_everything(mien, film: str) -> None:
    ended = mien(*live(film, "--json", "--seconds", "1"))
    (first, *_) = [json.loads(line) for line in ended.out.splitlines()]
    assert set(first) == {"frame", "time_s", "frames_per_s", "latency_ms", "dropped", "faces"}
    assert first["faces"][0]["track_id"] == 0
    assert sum(first["faces"][0]["scores"].values()) == pytest.approx(1)


def test_a_start_after_the_end_is_no_success(mien, film: str) -> None:
    ended = mien(*live(film, "--start", "9"))
    assert (ended.code, ended.out) == (3, "")
    assert "0 frames read" in ended.err


def test_labels_in_another_language(mien, film: str) -> None:
    english, romanian = mien(*live(film)).out, mien(*live(film, "--language", "ro")).out
    assert english.splitlines()[0].split("#0")[1] != romanian.splitlines()[0].split("#0")[1]


def test_what_is_kept_of_a_session(mien, film: str, place: Path) -> None:
    ended = mien(
        *live(
            film,
            "--save-faces",
            "faces",
            "--max-doubts",
            "5",
            "--keep-crops",
            "crops",
            "--record",
            "seen.mp4",
        )
    )
    assert ended.code == 0
    assert "faces are saved to 'faces', for 30 days at most" in ended.err
    assert len(list((place / "faces").glob("*/*.jpg"))) == 2
    assert [path.name for path in sorted((place / "crops").iterdir())] == ["image0.png", "image1.png"]
    assert len(list(Film(place / "seen.mp4"))) > 3

    listed = mien("gallery", "list", "--gallery", "faces").out.splitlines()
    assert len(listed) == 2
    name, emotion, confidence, _, source = listed[0].split("\t")
    assert (name.split("/")[0], confidence[-1], source) == (emotion, "%", "film.mp4")
    records = [
        json.loads(line) for line in mien("gallery", "list", "--gallery", "faces", "--json").out.splitlines()
    ]
    assert [record["name"] for record in records] == [line.split("\t")[0] for line in listed]

    assert mien("gallery", "sheet", "--gallery", "faces", "--output", "sheet.png").code == 0
    assert images.load(place / "sheet.png").shape[2] == 3
    assert mien("gallery", "delete", name, "--gallery", "faces").out == "deleted 1 saved face\n"
    refused = mien("gallery", "clear", "--gallery", "faces")
    assert (refused.code, "give --yes" in refused.err) == (2, True)
    assert mien("gallery", "clear", "--yes", "--gallery", "faces").out == "deleted 1 saved face\n"
    assert mien("gallery", "list", "--gallery", "faces").out == ""


def test_a_recording_that_finds_no_room_is_told_and_is_no_success(start, film: str, place: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    process = start(
        *live(film, "--record", "session.mp4"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    _, err = process.communicate()
    assert process.returncode == 1
    assert b"'session.mp4' cannot be written: file too large" in err
    assert [path.name for path in place.iterdir()] == [film]


def test_saved_faces_can_be_trained_on(mien, film: str, place: Path) -> None:
    mien(*live(film, "--save-faces", "faces", "--max-doubts", "5", "--save-every", "0.4"))
    saved = sorted((place / "faces").glob("*/*.jpg"))
    assert len(saved) >= 3
    for path, emotion in zip(saved, ("happy", "sad", "happy"), strict=False):  # corrected by hand
        (place / "faces" / emotion).mkdir(exist_ok=True)
        path.rename(place / "faces" / emotion / path.name)
    ended = mien("gallery", "export", "data", "--gallery", "faces")
    assert ended.code == 0
    assert "happy" in ended.out
    described = mien("dataset", "describe", "data", "--no-cache", "--json")
    assert described.code == 0, described.err
    assert mien("gallery", "export", "data", "--gallery", "faces").code == 3


def test_questions_are_asked_before_all_is_deleted(mien, film: str, place: Path) -> None:
    mien(*live(film, "--save-faces", "faces", "--max-doubts", "5"))
    program = (
        "import sys, io; from mien.cli import main; sys.stdin = type('T', (io.StringIO,), "
        "{'isatty': lambda self: True})('n\\n'); sys.exit(main(['gallery', 'clear', '--gallery', 'faces']))"
    )
    _, shown = on_terminal(program)
    assert b"Delete 2 saved faces in faces?" in shown
    assert b"nothing was deleted" in shown
    assert len(list((place / "faces").glob("*/*.jpg"))) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--no-window", "--source", "nothing.mp4"], 3, "no such file"),
        (["--no-window", "--source", "text.mp4"], 3, "no film that can be read"),
        (["--no-window", "--source", "950"], 3, "or give --source FILE to play a film in its place"),
        (["--no-window", "--source", "http://host/x"], 2, "only rtsp:// and rtsps://"),
        (["--no-window", "--source", "film.mp4", "--preset", "fast"], 2, "unknown preset 'fast'"),
        (["--no-window", "--source", "film.mp4", "--median", "2"], 2, "median has to be"),
        (["--no-window", "--source", "film.mp4", "--record", "x.txt"], 2, "no name of a film"),
        (["--no-window", "--source", "film.mp4", "--save-faces", "text.mp4"], 3, "text.mp4"),
        (["--no-window", "--source", "film.mp4", "--keep-crops", "text.mp4/x"], 3, "cannot be made"),
        (["--no-window", "--source", "film.mp4", "--language", "xx"], 2, "unknown language"),
        (["--json"], 2, "--json is for --no-window"),
    ],
)
def test_what_cannot_be(mien, film: str, place: Path, arguments: list[str], code: int, says: str) -> None:
    (place / "text.mp4").write_text("hello")
    ended = mien("live", *arguments)
    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert ended.out == ""
    assert ended.err.count("\n") <= 2
    assert sorted(path.name for path in place.iterdir()) == ["film.mp4", "text.mp4"]


def test_without_a_display_the_way_out_is_named(mien, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("needs a system that can be without a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    ended = mien("live")
    assert ended.code == 2
    assert "no display" in ended.err
    assert "--no-window" in ended.err


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_in_order_and_twice_at_once(start, film: str, place: Path, times: int) -> None:
    process = start(*live(film, "--seconds", "60", "--record", "seen.mkv", "--start", "0"))
    process.stdout.readline()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    if times == 1:
        assert b"frames read" in err
        assert list(Film(place / "seen.mkv"))


def test_bad_names_of_the_gallery(mien, place: Path) -> None:
    assert mien("gallery", "list").out == "", "one's own, which is empty"
    ended = mien("gallery", "list", "--emotion", "joy")
    assert (ended.code, ended.err) == (0, "mien: no saved faces of 'joy'\n")
    for arguments, says in (
        (["list", "--gallery", "nowhere"], "no folder 'nowhere'"),
        (["delete", "x.jpg"], "no saved face is called"),
        (["list", "--emotion", "hapy"], "no emotion is called 'hapy'; choose one of angry, disgust"),
        (["sheet", "--output", "sheet.png"], "no saved faces"),
    ):
        ended = mien("gallery", *arguments)
        assert (ended.code, says in ended.err) == (2, True), ended.err
    assert mien("gallery", "export", "data").code == 3
    assert mien("gallery", "clear").out == "deleted 0 saved faces\n"
    assert list(place.iterdir()) == []

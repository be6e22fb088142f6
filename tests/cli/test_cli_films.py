from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import av
import numpy as np
import pytest
from cli_support import FACE
from film_support import face_film

from mien.core.film import FilmFrame
from mien.core.film_results import FilmSummary


def test_plain_lines_say_frame_time_and_person(mien, place: Path) -> None:
    film = face_film(place / "film.mp4")
    ended = mien("analyze", film)
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert [int(line[1]) for line in lines] == list(range(24))
    assert {(line[0], line[3], len(line)) for line in lines} == {(str(film), "0", 10)}
    assert [float(line[2]) for line in lines] == pytest.approx([n / 12 for n in range(24)], abs=0.002)
    boxes = [tuple(map(int, line[6:])) for line in lines]
    assert all(30 < x < 200 and w > 40 for x, _, w, _ in boxes)


def test_json_lines_hold_every_frame_without_a_face_too(mien, place: Path) -> None:
    ended = mien("analyze", face_film(place / "film.mp4", faces=False, frames=5), "--json")
    frames = [FilmFrame.from_dict(json.loads(line)) for line in ended.out.splitlines()]
    assert [(frame.analysis.index, frame.faces) for frame in frames] == [(n, ()) for n in range(5)]


def test_a_folder_gets_everything(mien, place: Path) -> None:
    film = face_film(place / "my film.mp4", sound="aac", sound_s=2.0)
    ended = mien("analyze", film, "--output", place / "results", "--quiet")
    assert (ended.code, ended.out) == (0, "")
    assert "1 film (2.0 s of film)" in ended.err
    folder = place / "results" / "my film"
    written = {path.name.removeprefix("my film") for path in folder.iterdir()}
    assert written >= {
        ".jsonl", ".csv", ".srt", ".vtt", ".eaf", "-summary.json", "-detect-video.json", "-annotated.mp4"
    }  # fmt: skip
    with (folder / "my film.csv").open(newline="", encoding="utf-8-sig") as file:
        assert len(list(csv.DictReader(file))) == 24
    summary = FilmSummary.from_dict(json.loads((folder / "my film-summary.json").read_text()))
    assert (summary.complete, summary.frames, len(summary.persons)) == (True, 24, 1)
    with av.open(str(folder / "my film-annotated.mp4")) as container:
        assert (container.streams.video[0].frames, len(container.streams.audio)) == (24, 1)
    assert not (place / "results" / "analysis.ledger").exists()


def test_films_and_photos_in_one_call(mien, place: Path) -> None:
    (place / "in").mkdir()
    face_film(place / "in" / "a.mkv")
    face_film(place / "in" / "b.avi", codec="mjpeg")
    (place / "in" / "photo.jpg").write_bytes(FACE.read_bytes())
    out = place / "out"
    ended = mien("analyze", place / "in", "--output", out, "--quiet")
    assert ended.code == 0, ended.err
    assert {path.name for path in out.iterdir()} == {"a", "b", "photo.jpg", "photos.csv", "photos.jsonl"}
    assert len((out / "photos.jsonl").read_text().splitlines()) == 1
    # What Mien drew is nothing to analyse.
    again = mien("analyze", out, "--quiet")
    assert "left out" in again.err
    assert "has only what Mien drew" in again.err


@pytest.mark.parametrize(
    "stem",
    ["interview.v2", "2026.11.21", "Dr. Smith", "a.json", "b.mp4", "photos.csv", "analysis.ledger", "p.jpg"],
)
def test_dots_in_the_name_of_a_film_are_part_of_it(mien, place: Path, stem: str) -> None:
    (place / "in").mkdir()
    face_film(place / "in" / f"{stem}.mp4", frames=3)
    (place / "in" / "p.jpg").write_bytes(FACE.read_bytes())
    out = place / "out"
    ended = mien("analyze", "in", "--output", out, "--quiet")
    assert ended.code == 0, ended.err
    (summary,) = out.glob("*/*-summary.json")
    taken = stem in ("photos.csv", "analysis.ledger", "p.jpg")
    assert summary.parent.name == (f"{stem}-2" if taken else stem)
    assert summary.name == f"{stem}-summary.json"
    assert (summary.parent / f"{stem}-annotated.mp4").is_file()
    for name in ("photos.csv", "photos.jsonl", "p.jpg"):
        assert (out / name).is_file()


@pytest.mark.parametrize("name", ["res.v2", "res.csv", "res.mp4", "res.d"])
def test_an_output_that_ends_in_a_slash_or_is_there_is_a_folder(mien, place: Path, name: str) -> None:
    face_film(place / "film.mp4", frames=3)
    for _ in ("a new folder", "one that is there"):
        ended = mien("analyze", "film.mp4", "--output", f"{name}/", "--quiet")
        assert ended.code == 0, ended.err
        assert (place / name / "film" / "film-summary.json").is_file()
    assert mien("analyze", "film.mp4", FACE, "--output", name, "--quiet").code == 0
    assert (place / name / "photos.csv").is_file()


def test_a_suffix_that_is_none_of_miens_tells_how_to_name_a_folder(mien, place: Path) -> None:
    for source in (face_film(place / "film.mp4", frames=2), FACE):
        ended = mien("analyze", source, "--output", "res.v2")
        assert (ended.code, ended.out) == (2, "")
        assert "'res.v2' has the unknown suffix '.v2'" in ended.err
        assert "or end it in a slash for a folder" in ended.err
    assert not (place / "res.v2").exists()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".srt", ".vtt", ".eaf", ".json", ".mp4"])
def test_one_file_by_its_suffix(mien, place: Path, suffix: str) -> None:
    film = face_film(place / "film.mkv")
    ended = mien("analyze", film, "--output", place / f"out{suffix}", "--quiet", "--end", "1")
    assert ended.code == 0, ended.err
    assert (place / f"out{suffix}").stat().st_size > 40
    assert {path.name for path in place.iterdir()} == {"film.mkv", f"out{suffix}"}


def test_a_stretch_and_fewer_frames(mien, place: Path) -> None:
    film = face_film(place / "film.mp4")
    ended = mien("analyze", film, "--start", "0.5", "--end", "1.5", "--every", "3")
    assert [line.split("\t")[1] for line in ended.out.splitlines()] == ["6", "9", "12", "15"]


def test_subtitles_fit_the_film_that_they_are_named_as(mien, place: Path) -> None:
    film = face_film(place / "film.mp4", frames=36)
    ended = mien("analyze", film, "--output", "out", "--start", "1", "--quiet")
    assert ended.code == 0, ended.err
    folder = place / "out" / "film"
    with av.open(str(folder / "film-annotated.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert (times[0], times[-1]) == pytest.approx((0, 23 / 12), abs=0.01)
    for suffix in (".srt", ".vtt"):
        original, beside = (
            [
                [float(clock[-6:].replace(",", ".")) for clock in line.split(" --> ")]
                for line in (folder / f"{stem}{suffix}").read_text().splitlines()
                if "-->" in line
            ]
            for stem in ("film", "film-annotated")
        )
        assert original[0][0] == pytest.approx(1.0, abs=0.09)
        assert original[-1][1] == pytest.approx(3.0, abs=0.09)
        assert np.array(beside) == pytest.approx(np.array(original) - 1, abs=0.002)
    assert mien("analyze", film, "--output", "plain", "--start", "1", "--quiet", "--no-annotated").code == 0
    assert not list(place.glob("plain/film/*annotated*"))


def test_cadence_nought_without_smoothing_is_what_photos_give(mien, place: Path) -> None:
    from mien.core import images
    from mien.video.film import Film

    film = face_film(place / "film.mp4", frames=6)
    as_film = mien("analyze", film, "--cadence", "0", "--smoothing", "0", "--no-rotate")
    names = []
    for frame in Film(film):
        names.append(place / f"{frame.index}.png")
        images.save(frame.pixels, names[-1])
    as_photos = mien("analyze", *names, "--no-rotate")
    read = [line.split("\t")[4:] for line in as_film.out.splitlines()]
    assert read == [line.split("\t")[2:] for line in as_photos.out.splitlines()]
    assert len(read) == 6


def test_a_folder_of_frames(mien, place: Path) -> None:
    from mien.core import images
    from mien.video.film import Film

    (place / "frames").mkdir()
    for frame in Film(face_film(place / "film.mp4", frames=12)):
        images.save(frame.pixels, place / "frames" / f"frame{frame.index}.jpg")
    ended = mien("analyze", place / "frames", "--frames", "10")
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert [line[1:3] for line in lines] == [[str(n), f"{n / 10:.3f}"] for n in range(12)]


def test_damage_is_told_and_the_rest_is_read(mien, place: Path) -> None:
    film = face_film(place / "film.mkv", codec="mjpeg")
    content = bytearray(film.read_bytes())
    starts = [at for at in range(len(content) - 2) if content[at : at + 3] == b"\xff\xd8\xff"]
    content[starts[10] : starts[10] + 2000] = bytes(2000)
    film.write_bytes(content)
    ended = mien("analyze", film, "--quiet")
    assert ended.code == 0
    assert "1 frame lost between 0.75 s and 0.92 s" in ended.err


@pytest.mark.parametrize("target", [None, "out", "out.mp4", "out.jsonl", "out.srt"])
def test_a_stretch_without_a_frame_is_told_and_gives_no_files(mien, place: Path, target: str | None) -> None:
    film = face_film(place / "film.mp4", frames=12)
    output = [] if target is None else ["--output", place / target]
    ended = mien("analyze", film, "--start", "5", *output)
    assert (ended.code, ended.out) == (3, "")
    assert f"no frame between 5 s and its end of {str(film)!r}, which is 1.0 s long" in ended.err
    assert "wrote" not in ended.err
    assert [path.name for path in place.rglob("*") if path.is_file()] == ["film.mp4"]
    assert not (place / "out" / "film").exists()
    ended = mien("analyze", film, "--start", "0.51", "--end", "0.55", *output)
    assert ended.code == 3
    assert "no frame between 0.51 s and 0.55 s" in ended.err


def test_a_bad_film_stops_no_other(mien, place: Path) -> None:
    (place / "bad.mp4").write_text("no film")
    good = face_film(place / "good.mp4", frames=4)
    ended = mien("analyze", place / "bad.mp4", good)
    assert ended.code == 1
    assert len(ended.out.splitlines()) == 4
    assert "bad.mp4' is no film that can be read" in ended.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--output", "out.txt"], "unknown suffix '.txt'"),
        (["--start", "2", "--end", "1"], "end has to be later than start"),
        (["--fps", "5", "--every", "2"], "every or fps"),
        (["--output", "film.mp4"], "is an input as well as an output"),
        (["other.mp4", "--output", "out.srt"], "give --output a folder"),
        (["--output", "out.srt", "--ledger", "out.srt"], "one file"),
    ],
)
def test_wrong_use_says_why_and_writes_nothing(mien, place: Path, options: list[str], says: str) -> None:
    face_film(place / "film.mp4", frames=2)
    face_film(place / "other.mp4", frames=2)
    ended = mien("analyze", "film.mp4", *options)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert {path.name for path in place.iterdir()} == {"film.mp4", "other.mp4"}


def test_a_film_under_the_name_of_a_photo_and_the_other_way_round_say_what_they_are(
    mien, place: Path
) -> None:
    (place / "lie.jpg").write_bytes(face_film(place / "film.mkv", frames=3).read_bytes())
    ended = mien("analyze", place / "lie.jpg")
    assert ended.code == 3
    assert "lie.jpg' is a film and no photo; give it a name that ends in .mkv" in ended.err
    (place / "lie.jpg").rename(place / "lie.mkv")
    assert mien("analyze", place / "lie.mkv").code == 0

    (place / "photo.mp4").write_bytes(FACE.read_bytes())
    ended = mien("analyze", place / "photo.mp4")
    assert ended.code == 3
    assert "photo.mp4' is a photo and no film; give it a name that ends in .jpg" in ended.err


def test_frames_is_for_folders(mien, place: Path) -> None:
    film = face_film(place / "film.mp4", frames=3)
    for source, what in (
        (film, "is a film, with times of its own: leave it out"),
        (FACE, "is a photo: leave"),
    ):
        ended = mien("analyze", source, "--frames", "25", "--output", place / "out")
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert "--frames is for a folder whose pictures are the frames" in ended.err
        assert what in ended.err
        assert not (place / "out").exists()
    assert "there is no file or folder" in mien("analyze", place / "gone", "--frames", "25").err
    (place / "frames").mkdir()
    (place / "frames" / "0.jpg").write_bytes(FACE.read_bytes())
    assert mien("analyze", place / "frames", film, "--frames", "25").code == 0, "one is a folder"


def test_ctrl_c_leaves_readable_files_and_the_next_run_goes_on(start, mien, place: Path) -> None:
    films = place / "films"
    films.mkdir()
    face_film(films / "a.mp4", frames=6)
    face_film(films / "b.mp4", frames=2000)
    out = place / "out"
    process = start("analyze", str(films), "--output", str(out), "--json")
    while b"b.mp4" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert b"one up to where it was interrupted" in err
    summary = json.loads((out / "b" / "b-summary.json").read_text())
    assert summary["complete"] is False
    read = summary["frames"]
    assert 1 <= read < 2000
    assert len((out / "b" / "b.jsonl").read_text().splitlines()) == read
    with av.open(str(out / "b" / "b-annotated.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == read
    before = (out / "a" / "a.jsonl").stat().st_mtime_ns

    face_film(films / "b.mp4", frames=8)
    again = mien("analyze", films, "--output", out, "--quiet")
    assert again.code == 0, again.err
    assert json.loads((out / "b" / "b-summary.json").read_text())["complete"] is True
    assert (out / "a" / "a.jsonl").stat().st_mtime_ns == before
    assert not (out / "analysis.ledger").exists()


def files(folder: Path) -> dict[str, bytes]:
    """The files in a folder that people see."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize("target", ["out", "out.jsonl", "out.mp4"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_the_complete_results_of_an_earlier_one(
    start, mien, place: Path, number: signal.Signals, target: str
) -> None:
    film, out = face_film(place / "film.mp4", frames=6), place / target
    assert mien("analyze", film, "--output", out, "--quiet").code == 0
    folder = out / "film" if target == "out" else place
    face_film(film, frames=2000)
    before = files(folder)
    process = start("analyze", str(film), "--output", str(out), "--json")
    while b"film.mp4" not in process.stdout.readline():
        pass
    process.send_signal(number)
    _, err = process.communicate()
    now = files(folder)
    assert {name: now[name] for name in before} == before
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert f"left {str(out / 'film' if target == 'out' else out)!r} as it was".encode() in err
        assert not [path for path in folder.iterdir() if path.name.startswith(".mien-")]
    elif target != "out.mp4":  # what was read stays beside it
        (lines,) = folder.glob(".mien-*.jsonl")
        assert [FilmFrame.from_dict(json.loads(line)) for line in lines.read_text().splitlines()]

    face_film(film, frames=8)
    ended = mien("analyze", film, "--output", out, "--quiet")
    assert ended.code == 0, ended.err
    if target == "out":
        summary = json.loads((folder / "film-summary.json").read_text())
        assert (summary["complete"], summary["frames"]) == (True, 8)


@pytest.mark.parametrize("annotated", ["--annotated", "--no-annotated"])
def test_a_full_disk_leaves_files_that_agree(start, place: Path, annotated: str) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    face_film(place / "film.mp4", frames=300)
    process = start(
        "analyze",
        "film.mp4",
        "--output",
        "out",
        "--quiet",
        annotated,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000)),
    )
    _, err = process.communicate()
    assert process.returncode == 3
    assert err.count(b"cannot be written") == 1, err
    assert b"until then is in 'out/film'" in err
    folder = place / "out" / "film"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    summary = json.loads((folder / "film-summary.json").read_text())
    assert summary["complete"] is False
    lines = [json.loads(line)["frame"] for line in (folder / "film.jsonl").read_text().splitlines()]
    assert lines == list(range(summary["frames"]))
    with (folder / "film.csv").open(newline="", encoding="utf-8-sig") as file:
        assert sorted({int(row["frame"]) for row in csv.DictReader(file)}) == lines
    if annotated == "--annotated":
        with av.open(str(folder / "film-annotated.mp4")) as container:
            shown = sum(1 for _ in container.decode(video=0))
        # The frame whose row did not fit may be in the film.
        assert 12 <= shown <= len(lines) + 1

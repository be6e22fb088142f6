from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from film_support import HEIGHT, WIDTH, make_film, number_of, numbered, picture

from mien.core.errors import OptionError, OutputError
from mien.core.geometry import Box
from mien.core.results import Face, FrameAnalysis, Quality
from mien.core.video_options import VideoOptions
from mien.video.annotated import AnnotatedFilm
from mien.video.film import Film
from mien.video.frames import Frame
from mien.video.write import FilmWriter


def frames_of(path: Path) -> list[tuple[float, int]]:
    film = Film(path)
    try:
        return [(round(frame.time_s, 3), number_of(frame.pixels)) for frame in film]
    finally:
        film.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_come_back_with_their_times(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    times = [0.0, 0.04, 0.05, 1.0, 1.033, 2.5]
    with FilmWriter(path, WIDTH, HEIGHT, rate=25) as writer:
        for number, time_s in enumerate(times):
            writer.write(picture(number), time_s)
        assert not path.exists()
    found = frames_of(path)
    assert [number for _, number in found] == list(range(6))
    assert [time_s for time_s, _ in found] == pytest.approx(times, abs=0.0011)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_it_is_what_browsers_play(tmp_path: Path) -> None:
    with FilmWriter(tmp_path / "film.mp4", 97, 65) as writer:  # odd sides
        for number in range(5):
            writer.write(np.ascontiguousarray(picture(number, 97, 65)), number / 25)
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.frames) == (96, 64, 5)


@pytest.mark.parametrize(("name", "codec"), [("aac.mp4", "aac"), ("opus.mkv", "libopus")])
def test_the_sound_is_kept_in_step(tmp_path: Path, name: str, codec: str) -> None:
    source = make_film(tmp_path / name, numbered(75), sound=codec, sound_s=3.0)
    film = Film(source, VideoOptions(start=1.0, end=2.0))
    with FilmWriter(tmp_path / "out.mp4", WIDTH, HEIGHT, rate=25, sound=source, start_s=1.0) as writer:
        for frame in film:
            writer.write(frame.pixels, frame.time_s)
    assert [number for _, number in frames_of(tmp_path / "out.mp4")] == list(range(25, 50))
    with av.open(str(tmp_path / "out.mp4")) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        heard = np.concatenate([block.to_ndarray()[0] for block in container.decode(sound)])
        seconds = len(heard) / sound.codec_context.sample_rate
    assert seconds == pytest.approx(1.0, abs=0.15)
    assert np.abs(heard).max() > 0.05


def test_a_film_without_sound_stays_mute(tmp_path: Path) -> None:
    source = make_film(tmp_path / "mute.mp4", numbered(5))
    with FilmWriter(tmp_path / "out.mp4", WIDTH, HEIGHT, sound=source) as writer:
        writer.write(picture(1), 0.0)
    assert not Film(tmp_path / "out.mp4").info.has_sound


def test_an_interrupted_film_holds_what_was_written(tmp_path: Path) -> None:
    def interrupted() -> None:
        with AnnotatedFilm(FilmWriter(tmp_path / "out.mp4", WIDTH, HEIGHT)) as film:
            for number in range(10):
                film.write(
                    Frame(number, number / 25, picture(number)), FrameAnalysis(number, number / 25, ())
                )
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [number for _, number in frames_of(tmp_path / "out.mp4")] == list(range(10))


def test_an_error_leaves_the_film_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"earlier")

    def failing() -> None:
        with FilmWriter(path, WIDTH, HEIGHT) as writer:
            writer.write(picture(1), 0.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert path.read_bytes() == b"earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_a_killed_process_leaves_a_film_that_can_be_played(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from film_support import picture, WIDTH, HEIGHT\n"
        "from mien.video.write import FilmWriter\n"
        "with FilmWriter('out.mp4', WIDTH, HEIGHT) as writer:\n"
        "    for number in range(100000):\n"
        "        writer.write(picture(number % 64), number / 25)\n"
        "        if number == 2000:\n"
        "            print('written', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".mien-")
    found = frames_of(left)
    assert len(found) > 1000
    assert [number for _, number in found[:128]] == [number % 64 for number in range(128)]


def test_faces_are_drawn_where_they_are(tmp_path: Path) -> None:
    face = Face(Box(100, 60, 80, 90), {"happy": 0.9, "sad": 0.1}, "happy", Quality(80, 500.0, 120.0))
    gray = np.full((240, 320, 3), 128, np.uint8)
    with AnnotatedFilm(FilmWriter(tmp_path / "out.mp4", 320, 240)) as film:
        for index in range(3):
            faces = (face,) if index == 1 else ()
            film.write(Frame(index, index / 25, gray), FrameAnalysis(index, index / 25, faces))
    before, drawn, after = (frame.pixels.astype(int) for frame in Film(tmp_path / "out.mp4"))
    changed = np.abs(drawn - 128).max(axis=2) > 40
    assert changed[60:150, 98:102].any(axis=1).all()  # the left edge of the box
    assert not changed[200:, :60].any()
    assert max(np.abs(before - 128).max(), np.abs(after - 128).max()) < 40


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"out\.avi.*\.mp4"):
        FilmWriter(tmp_path / "out.avi", 64, 64)
    with pytest.raises(OptionError, match="too small"):
        FilmWriter(tmp_path / "out.mp4", 1, 64)
    with pytest.raises(OutputError, match="does not exist"), FilmWriter(tmp_path / "no" / "out.mp4", 64, 64):
        pass
    with (
        FilmWriter(tmp_path / "out.mp4", 64, 64) as writer,
        pytest.raises(OptionError, match="has frames of"),
    ):
        writer.write(picture(0), 0.0)


FULL_DISK = (
    "import resource, sys; from pathlib import Path\n"
    f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
    "import numpy as np, signal\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "name, limit, spare, count = sys.argv[1], int(sys.argv[2]), sys.argv[3] == 'spare', int(sys.argv[4])\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
    "from mien.core.errors import OutputError\n"
    "from mien.core.results import FrameAnalysis\n"
    "from mien.video.annotated import AnnotatedFilm\n"
    "from mien.video.frames import Frame\n"
    "from mien.video.write import FilmWriter\n"
    "noise = np.random.default_rng(0)\n"
    "try:\n"
    "    with AnnotatedFilm(FilmWriter(name, 320, 240, spare=spare)) as film:\n"
    "        for number in range(count):\n"
    "            pixels = noise.integers(0, 255, (240, 320, 3), np.uint8)\n"
    "            film.write(Frame(number, number / 25, pixels), FrameAnalysis(number, number / 25, ()))\n"
    "except OutputError as error:\n"
    "    print(error)\n"
)


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
@pytest.mark.parametrize(
    ("limit", "spare", "count", "kept"),
    [
        (2_000_000, "", 300, range(25, 60)),
        (1_500_000, "", 36, range(24, 37)),  # the end does not fit
        (500, "", 300, range(0)),
        (2_000_000, "spare", 300, range(0)),
    ],
)
def test_a_full_disk_is_told_and_leaves_what_can_be_played(
    tmp_path: Path, name: str, limit: int, spare: str, count: int, kept: range
) -> None:
    command = [sys.executable, "-c", FULL_DISK, name, str(limit), spare, str(count)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert f"{name!r} cannot be written" in done.stdout, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name] * bool(kept)
    if kept:
        film = Film(tmp_path / name)
        times = [frame.time_s for frame in film]
        assert len(times) in kept
        assert times == pytest.approx([number / 25 for number in range(len(times))], abs=0.002)
        assert film.damage == ()

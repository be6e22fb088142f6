"""Frames of films in tables and lines, whole, interrupted, killed, and on a full disk."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from film_records import film_frames, frame, head
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_strategies import analysis

from mien.core.errors import OptionError
from mien.core.film import FilmFrame
from mien.records import DetectVideoWriter, detect_video, read, read_all, write

pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra records")

HEAD = head()
relaxed = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
SUPPORT = """
import sys
sys.path.insert(0, sys.argv[2])
from film_records import frame, head
from mien.core.film import FilmFrame
from mien.records import open_writer
HEAD = head()
def item(n): return FilmFrame.of(HEAD, frame(n, "happy", None))
"""


def item(index: int, *stated: str | None) -> FilmFrame:
    return FilmFrame.of(HEAD, frame(index, *stated))


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@relaxed
@given(frames=st.lists(film_frames(), max_size=4))
def test_lines_of_frames_round_trip(tmp_path: Path, frames: list[FilmFrame]) -> None:
    write([*frames, analysis()], tmp_path / "a.jsonl")
    assert read_all(tmp_path / "a.jsonl") == [*frames, analysis()]
    assert read(tmp_path / "a.jsonl") == [analysis()]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_photos_and_frames_share_one_table(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write([analysis("photo.jpg"), item(3, "happy", None), item(4)], path)
    if suffix == ".csv":
        table = cells(path.read_text("utf-8"))
    else:
        rows = pq.read_table(path).to_pylist()
        table = [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]
    assert [row["status"] for row in table] == ["face", "face", "face", "no_face"]
    assert [row["frame"] for row in table] == ["", "3", "3", "4"]
    assert [row["time_s"] for row in table] == ["", "0.12", "0.12", "0.16"]
    assert [row["track_id"] for row in table][1:] == ["0", "1", ""]
    assert [row["emotion"] for row in table][1:] == ["happy", "", ""]
    assert table[0]["elapsed_s"] == "0.25"
    assert table[1]["elapsed_s"] == ""
    assert table[1]["options_digest"] == f"{'01' * 8}-{'fe' * 8}"


class Stopped(BaseException):
    """As Ctrl-C is: no Exception."""


def stopped(frames: int) -> Iterator[FilmFrame]:
    for index in range(frames):
        yield item(index, "happy")
    raise Stopped


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".xlsx"])
def test_an_interrupted_run_leaves_what_was_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with pytest.raises(Stopped):
        write(stopped(5), path, labels=HEAD.labels, partial=True)
    if suffix == ".jsonl":
        assert [one.analysis.index for one in read_all(path)] == [0, 1, 2, 3, 4]
    if suffix == ".csv":
        assert len(cells(path.read_text("utf-8"))) == 5
    if suffix == ".parquet":
        assert pq.read_table(path).num_rows == 5
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_an_interruption_before_the_first_frame_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(Stopped):
        write(stopped(0), tmp_path / f"a{suffix}", partial=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot be killed like this")
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_after_a_kill_the_unfinished_file_is_whole_up_to_the_last_frame(tmp_path: Path, suffix: str) -> None:
    script = f"""{SUPPORT}
import os, signal
with open_writer(sys.argv[1], labels=HEAD.labels, partial=True) as writer:
    for n in range(7):
        writer.write(item(n))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / f"a{suffix}"
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, str(path), str(Path(__file__).parent)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".mien-")
    assert left.suffix == suffix
    if suffix == ".jsonl":
        assert len(read_all(left)) == 7
    else:
        assert len(cells(left.read_text("utf-8"))) == 14


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_full_disk_keeps_whole_lines(tmp_path: Path, suffix: str) -> None:
    script = f"""{SUPPORT}
import resource
from mien.core.errors import OutputError
try:
    import pyarrow.parquet
except ImportError:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with open_writer(sys.argv[1], labels=HEAD.labels, partial=True) as writer:
        for n in range(9000):
            writer.write(item(n))
except OutputError as error:
    print("refused:", error)
"""
    path = tmp_path / f"a{suffix}"
    command = [sys.executable, "-B", "-c", script, str(path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("refused:"), done.stderr
    assert str(path) in done.stdout
    if suffix == ".parquet":  # nothing can be read without its end
        assert list(tmp_path.iterdir()) == []
        return
    assert list(tmp_path.iterdir()) == [path]
    assert 10_000 < path.stat().st_size <= 20_000
    assert path.read_bytes().endswith(b"\n")
    assert len(read_all(path) if suffix == ".jsonl" else cells(path.read_text("utf-8"))) > 5


def test_the_shape_of_detect_video(tmp_path: Path) -> None:
    frames = [frame(0), frame(25, "happy", None), frame(100 * 25 * 60, "sad", "happy")]
    answer = detect_video(frames)
    assert list(answer) == ["results", "summary"]
    assert answer["results"][0] == {"frame": 0, "timestamp": "00:00:00", "faces": []}
    assert answer["results"][1]["timestamp"] == "00:00:01"
    assert answer["results"][2]["timestamp"] == "01:40:00"
    happy, unsure = answer["results"][1]["faces"]
    assert happy == {"emotion": "happy", "confidence": 0.8, "box": [10, 20, 40, 50]}
    assert unsure == {"emotion": "uncertain", "confidence": pytest.approx(0.3), "box": [70, 20, 40, 50]}
    assert answer["summary"] == {"total_frames": 3, "faces_detected": 4, "dominant_emotion": "happy"}
    with DetectVideoWriter(tmp_path / "answer.json") as writer:
        for one in frames:
            writer.write(FilmFrame.of(HEAD, one))
    assert json.loads((tmp_path / "answer.json").read_text("utf-8")) == answer


@pytest.mark.parametrize(
    ("frames", "dominant"), [([], None), ([frame(0)], None), ([frame(0, None)], "uncertain")]
)
def test_a_film_without_stated_emotions(frames: list, dominant: str | None) -> None:
    assert detect_video(frames)["summary"]["dominant_emotion"] == dominant


def test_an_interrupted_answer_is_whole_json(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    with pytest.raises(Stopped), DetectVideoWriter(path, partial=True) as writer:
        list(map(writer.write, stopped(1)))
    assert json.loads(path.read_text("utf-8"))["summary"]["total_frames"] == 1


def test_photos_have_no_place_in_it(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="ImageAnalysis"), DetectVideoWriter(tmp_path / "a.json") as writer:
        writer.write(analysis())

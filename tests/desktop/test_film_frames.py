"""What is found in a film is kept on the disk, and comes back as it was."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")

from mien.core.errors import OutputError
from mien.core.film import FilmFrame, FilmHead, SourceInfo
from mien.core.geometry import Box
from mien.core.results import Face, FrameAnalysis, ModelReference, Quality, Scores
from mien.desktop.film_frames import FilmFrames

HEAD = FilmHead(
    SourceInfo("talk.mp4", 640, 360), ("happy", "sad"), ModelReference("test", "cd" * 32), "haar", "01", "02"
)


def face(track_id: int, label: str | None, happy: float) -> Face:
    scores = Scores({"happy": happy, "sad": 1 - happy})
    return Face(Box(9, 8, 40, 50), scores, label, Quality(40, 100.0, 99.0), 0.9, track_id=track_id)


def frames(count: int) -> list[FrameAnalysis]:
    """Faces come and go; every frame is 40 ms long."""
    labels = ("happy", None)
    return [
        FrameAnalysis(2 * n, n / 25, tuple(face(t, labels[(n + t) % 2], 0.5 + t / 10) for t in range(n % 4)))
        for n in range(count)
    ]


def filled(count: int) -> FilmFrames:
    kept = FilmFrames()
    for frame in frames(count):
        kept.add(FilmFrame.of(HEAD, frame))
    return kept


def test_every_frame_comes_back_at_its_time_and_in_its_order() -> None:
    kept, made = filled(50), frames(50)
    assert list(kept) == made
    assert (len(kept), list(kept.times)) == (50, [frame.time_s for frame in made])
    assert kept.at(0.0) == made[0]
    assert kept.at(1.02) == made[25]
    assert kept.at(99.0) == made[-1]
    assert kept.at(-0.1) is None
    kept.add(FilmFrame.of(HEAD, FrameAnalysis(100, 2.0, ())))
    assert kept.at(2.0) == FrameAnalysis(100, 2.0, ())
    assert kept.step(1.0, 2) == pytest.approx(1.08)
    assert kept.step(1.0, -99) == 0.0


def test_nothing_is_there_before_the_first_frame() -> None:
    kept = FilmFrames()
    assert (list(kept), kept.at(1.0), kept.step(1.0, 3)) == ([], None, 1.0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no files without a name")
def test_no_file_is_seen_or_left(tmp_path: Path) -> None:
    kept = filled(3)
    (folder,) = (tmp_path / "cache").iterdir()
    assert list(folder.iterdir()) == []
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("needs /proc with the open files of a process")
    before = len(list(descriptors.iterdir()))
    del kept
    gc.collect()
    assert len(list(descriptors.iterdir())) == before - 1


def test_no_room_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder is wanted")
    with pytest.raises(OutputError, match="cache"):
        filled(1)

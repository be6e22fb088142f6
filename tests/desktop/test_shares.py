"""Progress follows the work that is done, not the number of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from desktop_support import PHOTO, small_film
from film_support import face_film

from mien import batch
from mien.core import images
from mien.core.options import AnalysisOptions
from mien.desktop.jobs import Work
from mien.desktop.reading import Begun, Models, Reader
from mien.desktop.shares import Shares
from mien.testing import fake_model


class Listener(Work):
    """Keeps all that is told, in its order."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(lambda work: Reader(AnalysisOptions(), Models(fake_model())).open(work, paths))
        self.heard: list[float | str] = []
        self.found.connect(self._hear)

    def tell(self, share: float, what: str) -> None:
        self.heard.append(share)

    def _hear(self, thing: object) -> None:
        if isinstance(thing, Begun):
            self.heard.append("film")


def photos(folder: Path, count: int) -> list[Path]:
    made = [folder / f"photo-{number}.png" for number in range(count)]
    for number, path in enumerate(made):
        images.save(np.full((64, 64, 3), number, np.uint8), path)
    return made


def test_photos_beside_a_film_are_the_smaller_part(tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no film")
    work = Listener([*photos(tmp_path, 8), small_film(tmp_path, frames=200), bad])
    work._action(work)
    assert work.heard.count("film") == 2
    start = work.heard.index("film")
    of_photos = [share for share in work.heard[:start] if isinstance(share, float) and share >= 0]
    of_film = [share for share in work.heard[start:] if isinstance(share, float)]
    assert len(of_photos) == 8
    assert of_photos[-1] < 0.2, "eight photos are little beside 200 frames"
    assert of_photos + of_film == sorted(of_photos + of_film)
    half = of_film[len(of_film) // 2]
    assert 0.45 < half < 0.65
    assert of_film[-1] > 0.98


def test_films_share_by_their_frames(tmp_path: Path) -> None:
    short, long = (face_film(tmp_path / f"{frames}.mp4", frames=frames) for frames in (20, 60))
    first, second = batch.plan([short, long])
    shares = Shares([first, second])
    assert shares.within(first, 0.5) == pytest.approx(0.125, abs=0.01)
    assert shares.finish(first) == pytest.approx(0.25, abs=0.01)
    assert shares.within(second, 0.5) == pytest.approx(0.625, abs=0.01)
    assert shares.finish(second) == pytest.approx(1.0)


def test_one_alone_and_none_at_all(tmp_path: Path) -> None:
    (only,) = batch.plan([PHOTO])
    assert Shares([only]).finish(only) == 1.0
    assert Shares([])._done == 0.0
    (gone,) = batch.plan([tmp_path / "gone.jpg"])
    both = Shares([only, gone])
    assert both.finish(gone) < 0.01
    assert both.finish(only) == pytest.approx(1.0)

"""Numbers of faces through crossings, pillars, leaving and coming back: rendered films of known paths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_support import make_film
from scene_support import Path2D, Scene, person

from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions
from mien.pipeline.detect.search import SearchingDetector
from mien.pipeline.detect.yunet import YuNetBackend
from mien.pipeline.steps import Steps
from mien.testing import fake_model
from mien.video.analyze import FrameReader
from mien.video.film import Film
from mien.video.follow import Follower
from mien.video.frames import Frame

SHORT = 30  # frames: 1.2 s out of sight


def swing(height: float, reach: float, period_s: float, phase: float = 0.0) -> Path2D:
    """To and fro over the picture, bobbing a little."""
    return lambda t: (
        240 + reach * math.sin(2 * math.pi * t / period_s + phase),
        height + 8 * math.sin(1.7 * t + phase),
    )


def away(path: Path2D, start: float, end: float) -> Path2D:
    return lambda t: None if start <= t < end else path(t)


def crossing(seed: int) -> Scene:
    return Scene([person(0, swing(130, 170, 8)), person(1, swing(140, 170, 8, math.pi))], seed=seed)


def three(seed: int) -> Scene:
    people = [swing(110, 180, 11), swing(140, 150, 7, 2), swing(150, 120, 9, 4)]
    return Scene([person(number, path) for number, path in enumerate(people)], seed=seed)


def pillar(seed: int) -> Scene:
    people = [person(0, swing(120, 180, 9)), person(3, swing(140, 150, 12, 2))]
    return Scene(people, bars=[(215, 275)], seed=seed)


def leaving(seed: int) -> Scene:
    people = [
        person(0, away(swing(120, 120, 9), 6, 7.2)),
        person(1, away(lambda t: (410, 150), 4, 5)),
        person(2, lambda t: (70 - 120 * max(0.0, math.sin(t)) ** 8, 160)),
    ]
    return Scene(people, seed=seed)


class Counted:
    """Identity switches and what else there is to count in a scene."""

    def __init__(self, scene: Scene, frames: int, options: VideoOptions | None = None) -> None:
        self.switches, self.numbers = 0, set[int]()
        self.visible = self.covered = 0
        self._last: dict[int, tuple[int, int]] = {}
        follower = Follower(Steps(scene, fake_model(), AnalysisOptions()), options or VideoOptions())
        for frame in scene.frames(frames):
            self._count(frame.index, scene, follower.step(frame, follower.look(frame)))

    def _count(self, index: int, scene: Scene, faces: list) -> None:
        self.numbers |= {face.track_id for face in faces}
        for number, box in scene.truth.items():
            self.visible += 1
            best = max(faces, key=lambda face: face.detection.box.overlap(box), default=None)
            if best is None or best.detection.box.overlap(box) < 0.4:
                continue
            self.covered += 1
            before, seen = self._last.get(number, (best.track_id, index))
            self.switches += before != best.track_id and index - seen <= SHORT
            self._last[number] = (best.track_id, index)


@pytest.mark.parametrize(("scene", "seed"), [(crossing, 1), (three, 5), (pillar, 3), (leaving, 1)])
def test_at_most_one_switch_in_a_thousand_frames(scene: Callable[[int], Scene], seed: int) -> None:
    counted = Counted(scene(seed), 1000)
    assert counted.switches <= 1
    assert counted.covered / counted.visible > 0.95


def test_a_look_in_every_frame_keeps_them_apart_too() -> None:
    counted = Counted(three(2), 300, VideoOptions(cadence=0))
    assert counted.switches == 0


def test_who_comes_back_in_time_has_the_same_number() -> None:
    path = away(lambda t: (240, 140), 2, 3.5)
    assert Counted(Scene([person(0, path)]), 150).numbers == {0}
    assert Counted(Scene([person(0, path)]), 150, VideoOptions(max_gap=0.5)).numbers == {0, 1}


def test_a_still_scene_is_followed_to_the_pixel() -> None:
    scene = Scene([person(0, lambda t: (150, 140)), person(1, lambda t: (330, 130))], misses=0)
    counted = Counted(scene, 60)
    assert (counted.numbers, counted.switches, counted.covered) == ({0, 1}, 0, counted.visible)


@pytest.fixture(scope="module")
def steps(shared: Path) -> Steps:
    backend = YuNetBackend(shared / "models" / "face_detection_yunet_2023mar.onnx")
    return Steps(SearchingDetector(backend), fake_model(), AnalysisOptions())


def spans(steps: Steps, film: Path) -> dict[int, tuple[float, int]]:
    """Seconds from the first to the last frame of each track, and its frames."""
    times: dict[int, list[float]] = {}
    for _, frame in FrameReader(steps, VideoOptions()).read(Film(film)):
        for face in frame.faces:
            assert face.track_id is not None
            times.setdefault(face.track_id, []).append(frame.time_s)
    return {number: (seen[-1] - seen[0], len(seen)) for number, seen in times.items()}


@pytest.mark.parametrize(("name", "people"), [("three-people.mp4", 3), ("two-tilted-heads.mp4", 2)])
def test_real_films_have_as_many_tracks_as_people(steps: Steps, shared: Path, name: str, people: int) -> None:
    found = spans(steps, shared / "media" / name)
    assert len(found) == people
    assert all(frames >= 40 for _, frames in found.values())


def test_one_who_comes_back_where_she_was_keeps_her_number(
    steps: Steps, shared: Path, tmp_path: Path
) -> None:
    # So coarse that she is not found for a second, after she moved and then stood still.
    film = Film(shared / "media" / "two-tilted-heads.mp4")
    coarse = make_film(tmp_path / "coarse.mp4", [frame.pixels for frame in film], codec="mpeg4", rate=12)
    found = spans(steps, coarse)
    assert len(found) == 2
    assert min(frames for _, frames in found.values()) < 56


def test_faces_on_their_heads_stay_there(steps: Steps, shared: Path) -> None:
    film = itertools.islice(Film(shared / "media" / "two-tilted-heads.mp4"), 40)
    turned = (Frame(frame.index, frame.time_s, frame.pixels[::-1, ::-1].copy()) for frame in film)
    read = FrameReader(steps, VideoOptions()).read(turned)
    assert {len(analysis.faces) for _, analysis in read} == {2}


def test_a_skull_is_no_person(steps: Steps, shared: Path) -> None:
    found = spans(steps, shared / "media" / "signer.mkv")
    longest = max(found.values())
    assert longest[1] == 77
    assert all(seconds <= 1 for seconds, frames in found.values() if (seconds, frames) != longest)


def test_one_who_is_not_there_is_not_carried_on() -> None:
    scene = Scene([person(0, away(lambda t: (240, 140), 1, 99))], misses=0)
    follower = Follower(Steps(scene, fake_model(), AnalysisOptions()), VideoOptions())
    late = [len(follower.step(frame, follower.look(frame))) for frame in scene.frames(60)][32:]
    assert np.sum(late) == 0

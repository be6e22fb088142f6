"""Steady faces stay steady, real changes show soon, and off is off."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scene_support import Scene, person

import mien
from mien.core.geometry import Box
from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions
from mien.pipeline.detect import Detection
from mien.pipeline.detect.given import given_detections
from mien.pipeline.detect.search import SearchingDetector
from mien.pipeline.detect.yunet import YuNetBackend
from mien.pipeline.steps import Steps
from mien.testing import fake_model
from mien.video.analyze import FrameReader
from mien.video.film import Film
from mien.video.frames import Frame
from mien.video.smooth import Smoother

STILL = VideoOptions(smoothing=0, cadence=0)
BOX = Box(100, 50, 40, 50)


def noisy(scores: list[float], frames: int, strength: float, seed: int = 0) -> NDArray[np.float64]:
    """Scores that tremble as those of a network do: in its logits."""
    random = np.random.default_rng(seed)
    logits = np.log(scores) + random.normal(0, strength, (frames, len(scores)))
    odds = np.exp(logits)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def labels(scores: NDArray[np.float64], options: VideoOptions, rate: float = 25, threshold: float = 0.45):
    """The stated label of each frame, None where uncertain."""
    smoother, shown = Smoother(options), []
    for index, row in enumerate(scores):
        _, steadied = smoother.step(0, index / rate, BOX, row)
        certain = smoother.is_certain(0, float(steadied.max()), threshold)
        shown.append(int(steadied.argmax()) if certain else None)
    return shown


def changes(shown: list[int | None]) -> int:
    return sum(before != after for before, after in itertools.pairwise(shown))


@pytest.mark.parametrize("scores", [[0.5, 0.3, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1], [0.6, 0.2, 0.1, 0.1]])
@pytest.mark.parametrize("strength", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("threshold", [0.0, 0.45, 0.6])
def test_flicker_is_at_most_a_fifth(scores: list[float], strength: float, threshold: float) -> None:
    trembling = noisy(scores, 1500, strength)
    alone = changes(labels(trembling, VideoOptions(smoothing=0), threshold=threshold))
    steadied = changes(labels(trembling, VideoOptions(), threshold=threshold))
    assert steadied <= alone / 5


@pytest.mark.parametrize("rate", [10, 12, 15, 25, 30, 60])
@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_a_real_change_shows_within_300_ms(rate: int, strength: float) -> None:
    before, after = [0.04, 0.08, 0.8, 0.08], [0.04, 0.8, 0.08, 0.08]
    for seed in range(5):
        parts = [noisy(scores, 2 * rate, strength, seed) for scores in (before, after)]
        shown = labels(np.concatenate(parts), VideoOptions(), rate)
        assert 1 in shown[2 * rate : 2 * rate + int(0.3 * rate) + 1]
        assert 1 not in shown[: 2 * rate]
        assert shown[-rate:] == [1] * rate


class _Held:
    """A face that stays where it is."""

    name = "held"

    def detect(self, image: NDArray[np.uint8], options: AnalysisOptions) -> list[Detection]:
        return given_detections(96, 96, [Box(20, 20, 56, 56)])


@pytest.mark.parametrize("rate", [10, 12, 15, 24, 25, 30, 50, 60])
@pytest.mark.parametrize("odd", range(4))
def test_a_real_change_in_a_film_shows_within_300_ms(rate: int, odd: int) -> None:
    # Readings lie apart: the change falls at another place between them each time. It is a faint one, which
    # motion follows, so that no face is lost and read at once.
    at = rate + odd
    texture = np.random.default_rng(0).integers(40, 91, (96, 96, 1), np.uint8).repeat(3, 2)
    frames = (Frame(i, i / rate, texture + np.uint8(8 * (i >= at))) for i in range(at + rate))
    steps = Steps(_Held(), fake_model(logits=_brightness), AnalysisOptions())
    read = [analysis for _, analysis in FrameReader(steps, VideoOptions()).read(frames)]
    shown = [analysis.faces[0].emotion for analysis in read]
    assert set(shown[:at]) == {"angry"}
    assert shown.index("disgust") - at <= 0.3 * rate
    assert set(shown[shown.index("disgust") :]) == {"disgust"}


def _brightness(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits of one label for crops of a mean of at most 69 of 255, of the next for brighter ones."""
    bright = batch.mean(axis=(1, 2, 3)) * 255 > 69
    return np.eye(7, dtype=np.float32)[bright.astype(int)] * 4


def test_a_single_odd_frame_does_not_show() -> None:
    scores = noisy([0.05, 0.85, 0.05, 0.05], 60, 0.1)
    scores[30] = [0.9, 0.05, 0.03, 0.02]
    assert labels(scores, VideoOptions()) == [1] * 60


def test_nothing_is_stated_below_the_threshold() -> None:
    scores = noisy([0.47, 0.25, 0.2, 0.08], 600, 0.5)
    smoother = Smoother(VideoOptions())
    for index, row in enumerate(scores):
        _, steadied = smoother.step(0, index / 25, BOX, row)
        top = float(steadied.max())
        assert top >= 0.45 or not smoother.is_certain(0, top, 0.45)


@settings(max_examples=50)
@given(
    scores=st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=1, max_size=30),
    steps=st.lists(st.floats(0, 5), min_size=30, max_size=30),
    smoothing=st.floats(0, 5),
)
def test_scores_stay_probabilities(scores: list[list[float]], steps: list[float], smoothing: float) -> None:
    smoother, time_s = Smoother(VideoOptions(smoothing=smoothing)), 0.0
    for row, step in zip(scores, steps, strict=False):
        time_s += step
        box, steadied = smoother.step(0, time_s, BOX, np.array(row) / sum(row))
        assert steadied.sum() == pytest.approx(1)
        assert steadied.min() >= 0
        assert box == BOX


def test_a_still_box_stands_still_and_a_moving_one_is_not_left_behind() -> None:
    random, smoother = np.random.default_rng(0), Smoother(VideoOptions())
    scores = np.array([0.6, 0.4])
    still, moving = [], []
    for index in range(100):
        x, y = random.integers(-2, 3, 2).tolist()
        still.append(smoother.step(0, index / 25, Box(100 + x, 50 + y, 40, 50), scores)[0])
        there = Box(10 + 6 * index, 50, 40, 50)
        moving.append(smoother.step(1, index / 25, there, scores)[0].x - there.x)
    assert np.std([box.x for box in still[20:]]) < 1.0  # of 1.4
    assert abs(np.mean(moving[20:])) < 6


def test_off_is_exactly_the_still_picture() -> None:
    scene = Scene(
        [person(0, lambda t: (130 + 40 * t, 140)), person(1, lambda t: (350, 130 + 9 * t))], misses=0
    )
    model = fake_model(logits=_pixels, threshold=0.2)
    reader = FrameReader(Steps(scene, model, AnalysisOptions()), STILL)
    analyzer = mien.Analyzer(model=model, detector="haar")
    for frame in scene.frames(10):
        found = reader.read_one(frame)[0].faces
        still = analyzer.analyze(frame.pixels, boxes=[face.box for face in found]).faces
        assert len(found) == 2
        assert tuple(replace(face, track_id=None) for face in found) == still


def test_off_is_exactly_the_still_picture_with_a_real_detector(shared: Path) -> None:
    backend = YuNetBackend(shared / "models" / "face_detection_yunet_2023mar.onnx")
    analyzer = mien.Analyzer(model=fake_model(logits=_pixels), detector="haar")
    analyzer.steps = replace(analyzer.steps, detector=SearchingDetector(backend))
    reader = FrameReader(analyzer.steps, STILL)
    for frame in itertools.islice(Film(shared / "media" / "three-people.mp4"), 4):
        turned = Frame(
            frame.index, frame.time_s, np.ascontiguousarray(np.rot90(frame.pixels, frame.index % 2))
        )
        found = reader.read_one(turned)[0].faces
        assert len(found) == 3
        assert tuple(replace(face, track_id=None) for face in found) == analyzer.analyze(turned.pixels).faces


def _pixels(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits that any change of a crop changes."""
    return batch.reshape(len(batch), -1)[:, 1000:1007] * 5

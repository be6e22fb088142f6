"""What a backend may give back and no face can be."""

import numpy as np
import pytest

from mien.core.options import AnalysisOptions
from mien.pipeline.detect.base import Candidate
from mien.pipeline.detect.haar import HaarBackend
from mien.pipeline.detect.search import SearchingDetector

GOOD = (60.0, 50.0, 80.0, 90.0)
POINTS = np.array([[80, 80], [120, 80], [100, 100], [85, 120], [115, 120]], np.float64)


class Scripted:
    """A backend that finds what it is told."""

    name, margin, threshold, rule = "scripted", 0.0, 0.5, HaarBackend.rule

    def __init__(self, *candidates: Candidate) -> None:
        self._candidates = list(candidates)

    def find(self, picture: np.ndarray, threshold: float, least: float) -> list[Candidate]:
        return self._candidates


@pytest.mark.parametrize(
    ("rectangle", "points"),
    [
        ((60.0, 50.0, 1e21, 90.0), POINTS),
        ((-1e21, 50.0, 80.0, 90.0), POINTS),
        ((60.0, float("nan"), 80.0, 90.0), POINTS),
        ((60.0, 50.0, float("inf"), 90.0), POINTS),
        (GOOD, np.full((5, 2), np.inf)),
        (GOOD, np.full((5, 2), np.nan)),
    ],
)
def test_boxes_and_landmarks_beyond_reason_are_dropped(
    rectangle: tuple[float, float, float, float], points: np.ndarray
) -> None:
    detector = SearchingDetector(Scripted(Candidate(rectangle, 0.9, points), Candidate(GOOD, 0.8, POINTS)))
    found = detector.detect(np.zeros((240, 320, 3), np.uint8), AnalysisOptions())
    assert [face.score for face in found] == [0.8]


def test_a_box_that_reaches_beyond_the_picture_is_clipped() -> None:
    detector = SearchingDetector(Scripted(Candidate((-40.0, -30.0, 400.0, 300.0), 0.9, None)))
    (face,) = detector.detect(np.zeros((240, 320, 3), np.uint8), AnalysisOptions())
    assert (face.box.x, face.box.y, face.box.width, face.box.height) == (0, 0, 320, 240)

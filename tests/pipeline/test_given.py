from __future__ import annotations

import numpy as np
import pytest

from mien.core.errors import OptionError
from mien.core.geometry import FER2013_TEMPLATE, Box, Landmarks
from mien.pipeline.detect import given_detections

POINTS = np.array(FER2013_TEMPLATE)


def test_boxes_are_clipped_and_ordered_by_size() -> None:
    faces = given_detections(100, 80, boxes=[(1, 2, 10, 10), Box(-10, -10, 60, 60), [40.4, 20.6, 20, 30]])
    assert [face.box for face in faces] == [Box(0, 0, 50, 50), Box(40, 21, 20, 30), Box(1, 2, 10, 10)]
    assert all(face.score is None and face.landmarks is None for face in faces)
    np.testing.assert_allclose(faces[0].corners[0], (-10.5, -10.5))


def test_landmarks_alone_make_the_box() -> None:
    (face,) = given_detections(400, 400, landmarks=[POINTS * 4 + 100])
    assert face.landmarks == Landmarks.from_array(POINTS * 4 + 100)
    x, y, w, h = face.box.x, face.box.y, face.box.width, face.box.height
    left, top = (POINTS * 4 + 100).min(axis=0)
    right, bottom = (POINTS * 4 + 100).max(axis=0)
    assert x < left
    assert y < top
    assert x + w > right
    assert y + h > bottom
    assert 30 < w / 4 < 48
    assert 40 < h / 4 < 56


def test_boxes_and_landmarks_keep_together() -> None:
    marks = [POINTS, POINTS * 2]
    faces = given_detections(200, 200, boxes=[(0, 0, 50, 50), (0, 0, 100, 100)], landmarks=marks)
    assert faces[0].box == Box(0, 0, 100, 100)
    assert faces[0].landmarks == Landmarks.from_array(POINTS * 2)


def test_nothing_given_is_no_face() -> None:
    assert given_detections(10, 10, boxes=[]) == []
    assert given_detections(10, 10, landmarks=[]) == []


@pytest.mark.parametrize(
    ("boxes", "landmarks", "message"),
    [
        ([(200, 0, 10, 10)], None, "outside the picture of 100×100"),
        ([(-30, 0, 10, 10)], None, "outside"),
        ([(0, 0, 0, 10)], None, "positive width"),
        ([(0, 0, -5, 10)], None, "positive width"),
        ([(0, 0, float("nan"), 10)], None, "finite"),
        ([(0, 0, 1e-9, 1e-9)], None, "smaller or larger than any face"),
        ([(0, 0, 40, 1e-5)], None, "smaller or larger than any face"),
        ([(-1e300, -1e300, 2e300, 2e300)], None, "smaller or larger than any face"),
        ([(0, 0, 10)], None, "x, y, width, height"),
        ([("a", 0, 1, 1)], None, "x, y, width, height"),
        ([5], None, "x, y, width, height"),
        (None, [POINTS[:4]], "shape"),
        (None, [POINTS * np.nan], "finite"),
        (None, ["five"], "five points"),
        (None, [np.full((5, 2), 3.0)], "one place"),
        (None, [POINTS + 1e6], "outside"),
        ([(0, 0, 9, 9)], [POINTS * 1e300], "far outside any picture"),
        ([(0, 0, 9, 9)], [POINTS, POINTS], "1 boxes and 2 sets"),
    ],
)
def test_what_cannot_be_a_face_is_refused(boxes: object, landmarks: object, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        given_detections(100, 100, boxes=boxes, landmarks=landmarks)  # type: ignore[arg-type]

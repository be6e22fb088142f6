import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mien.core.errors import OptionError
from mien.core.geometry import FER2013_TEMPLATE, LANDMARK_NAMES, Box, Landmarks, Point

places = st.integers(-5000, 5000)
lengths = st.integers(1, 5000)
boxes = st.builds(Box, places, places, lengths, lengths)
coordinates = st.floats(allow_nan=False, allow_infinity=False, width=32)
landmarks = st.lists(st.tuples(coordinates, coordinates), min_size=5, max_size=5).map(Landmarks.from_array)


@given(boxes, lengths, lengths)
def test_a_clipped_box_lies_in_the_picture_and_in_the_box(box: Box, width: int, height: int) -> None:
    clipped = box.clipped(width, height)

    if clipped is None:
        assert box.overlap(Box(0, 0, width, height)) == 0.0
    else:
        assert clipped.x >= max(0, box.x)
        assert clipped.y >= max(0, box.y)
        assert clipped.right <= min(width, box.right)
        assert clipped.bottom <= min(height, box.bottom)
        assert clipped.clipped(width, height) == clipped


@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_fraction(one: Box, other: Box) -> None:
    assert one.overlap(other) == other.overlap(one)
    assert 0.0 <= one.overlap(other) <= 1.0


@given(boxes, boxes)
def test_only_equal_boxes_overlap_completely(one: Box, other: Box) -> None:
    assert one.overlap(one) == 1.0
    assume(one != other)
    assert one.overlap(other) < 1.0


@given(boxes, places, places)
def test_overlap_does_not_depend_on_the_place(box: Box, dx: int, dy: int) -> None:
    other = Box(box.x + box.width // 2, box.y, box.width, box.height)
    moved = [Box(b.x + dx, b.y + dy, b.width, b.height) for b in (box, other)]

    assert moved[0].overlap(moved[1]) == box.overlap(other)


def test_overlap_of_half_shifted_squares_is_a_third() -> None:
    assert Box(0, 0, 10, 10).overlap(Box(5, 0, 10, 10)) == pytest.approx(1 / 3)


@given(boxes)
def test_box_round_trip(box: Box) -> None:
    assert Box.from_dict(json.loads(json.dumps(box.to_dict()))) == box


@pytest.mark.parametrize("value", [None, "5", True, 1.5, math.nan, math.inf, -math.inf, [1], 1 + 0j])
@pytest.mark.parametrize("name", ["x", "y", "width", "height"])
def test_a_box_is_whole_pixels(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=name):
        Box(**{"x": 1, "y": 1, "width": 5, "height": 5, name: value})


def test_numpy_numbers_become_plain_ones() -> None:
    box = Box(np.int64(1), np.float32(2), np.uint8(3), 4.0)  # type: ignore[arg-type]

    assert json.loads(json.dumps(box.to_dict())) == {"x": 1, "y": 2, "width": 3, "height": 4}


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5)])
def test_an_empty_box_is_refused(width: int, height: int) -> None:
    with pytest.raises(OptionError, match="at least 1 pixel"):
        Box(0, 0, width, height)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": 1, "y": 1, "width": 5}, "lacks height"),
        ({"x": 1, "y": 1, "width": 5, "height": 5, "depth": 5}, "unknown fields: depth"),
        ([1, 1, 5, 5], "not list"),
        (None, "not NoneType"),
    ],
)
def test_a_malformed_box_record_is_a_clear_error(data: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Box.from_dict(data)


@given(landmarks)
def test_landmarks_round_trip(points: Landmarks) -> None:
    assert Landmarks.from_dict(json.loads(json.dumps(points.to_dict()))) == points
    assert Landmarks.from_array(points.as_array()) == points


def test_landmarks_keep_the_order_of_their_names() -> None:
    points = Landmarks(*FER2013_TEMPLATE)

    assert points.as_array().shape == (5, 2)
    assert points.as_array().dtype == np.float64
    assert [getattr(points, name) for name in LANDMARK_NAMES] == list(FER2013_TEMPLATE)
    assert points.right_eye.x < points.left_eye.x


@pytest.mark.parametrize("point", [(math.nan, 0), (0, math.inf), (1,), (1, 2, 3), None, ("a", "b"), 5])
def test_a_landmark_is_two_finite_numbers(point: Any) -> None:
    with pytest.raises(OptionError, match="landmark nose"):
        Landmarks(Point(0, 0), Point(1, 0), point, Point(0, 2), Point(1, 2))


@pytest.mark.parametrize(
    "points", [np.zeros((4, 2)), np.zeros(10), [[1, 2], [3]], "points", [["a", "b"]] * 5]
)
def test_landmarks_from_another_shape_are_refused(points: Any) -> None:
    with pytest.raises(OptionError, match="landmarks"):
        Landmarks.from_array(points)


@pytest.mark.parametrize("data", [{}, {"nose": [1, 2]}, dict.fromkeys(LANDMARK_NAMES), None])
def test_a_malformed_landmark_record_is_a_clear_error(data: Any) -> None:
    with pytest.raises(OptionError, match="landmark"):
        Landmarks.from_dict(data)


def test_the_words_of_mien_load_without_numpy() -> None:
    code = "import sys, mien.core.results, mien.core.options; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core.geometry import FER2013_TEMPLATE, Box, Landmarks, Point
from mien.pipeline.align import card_template, crop_matrix, crops
from mien.pipeline.detect import BoxRule, Detection, given_detections
from mien.pipeline.detect.haar import HAAR_RULE
from mien.pipeline.similarity import apply_matrix, invert_matrix
from mien.zoo.card import Card, ModelInput


def card(width: int = 48, height: int = 48, colour: str = "gray", **values: object) -> Card:
    return Card("test", ("a", "b"), ModelInput(width, height, colour, 0.5, 0.25), **values)


def landmarks_by(matrix: np.ndarray) -> Landmarks:
    """Landmarks of a face whose crop lies in the picture as `matrix` (crop to picture) says."""
    return Landmarks.from_array(apply_matrix(matrix, card_template(card())))


def waves(width: int, height: int, period: float) -> np.ndarray:
    """A picture of smooth waves, RGB, and exact at any place."""
    y, x = np.mgrid[:height, :width]
    return np.repeat(wave(x, y, period)[..., None], 3, axis=2).round().astype(np.uint8)


def wave(x: np.ndarray, y: np.ndarray, period: float) -> np.ndarray:
    turn = 2 * math.pi / period
    return np.asarray(128 + 60 * np.sin(turn * x) * np.cos(turn * y / 1.3))


@settings(deadline=None, max_examples=20)
@given(st.floats(0.7, 9), st.floats(-180, 180), st.floats(250, 450), st.floats(250, 450))
def test_the_crop_shows_what_the_similarity_says(scale: float, degrees: float, x: float, y: float) -> None:
    angle = math.radians(degrees)
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    to_picture = np.array([[c, -s, 0], [s, c, 0]])
    to_picture[:, 2] = np.array([x, y]) - to_picture[:, :2] @ [23.5, 23.5]
    period = 40 * scale
    picture = waves(900, 700, period)
    (face,) = given_detections(900, 700, landmarks=[landmarks_by(to_picture)])
    (crop,) = crops(picture, [face], card())
    v, u = np.mgrid[:48, :48]
    places = apply_matrix(to_picture, np.column_stack([u.ravel(), v.ravel()]).astype(float))
    inside = ((places > 8) & (places < [891, 691])).all(axis=1).reshape(48, 48)
    expected = wave(places[:, 0], places[:, 1], period).reshape(48, 48)
    difference = np.abs(crop - expected)[inside]
    assert difference.mean() < 2.5
    assert difference.max() < 8


@pytest.mark.parametrize("scale", [1.4, 1.9, 3.3, 7.1, 15.2])
def test_shrinking_averages_instead_of_skipping(scale: float) -> None:
    stripes = np.zeros((960, 960, 3), np.uint8)
    stripes[:, ::2] = 250
    box = (100, 100, 36.7 * scale, 48.1 * scale)
    (crop,) = crops(stripes, given_detections(960, 960, boxes=[box]), card())
    assert abs(crop.mean() - 125) < 3
    assert crop.std() < 125 / 3


def test_a_face_of_the_training_data_stays_where_it_is() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    picture = np.repeat(noise[..., None], 3, axis=2)
    landmarks = np.array(FER2013_TEMPLATE) - 0.5
    (face,) = given_detections(48, 48, landmarks=[landmarks])
    (crop,) = crops(picture, [face], card())
    assert np.abs(crop.astype(int) - noise).max() <= 2


def test_eyes_turn_and_place_the_box() -> None:
    upright = crop_matrix(haar_face(eyes=None), card_template(card()))
    assert upright[1, 0] == pytest.approx(0)
    leaning = crop_matrix(haar_face(eyes=(Point(140, 150), Point(200, 180))), card_template(card()))
    roll = math.degrees(math.atan2(-leaning[1, 0], leaning[0, 0]))
    assert roll == pytest.approx(math.degrees(math.atan2(30, 60)), abs=2)
    eyes = apply_matrix(leaning, np.array([(140.0, 150.0), (200.0, 180.0)]))
    assert np.abs(eyes - card_template(card())[:2]).max() < 3


def haar_face(eyes: tuple[Point, Point] | None) -> Detection:
    corners = np.array([(100.0, 100.0), (250, 100), (250, 250), (100, 250)])
    return Detection(Box(100, 100, 150, 150), 0.9, None, corners, HAAR_RULE, eyes)


def test_the_box_rule_puts_the_box_where_it_was_measured() -> None:
    rule = BoxRule(6.0, 3.0, 36.0, 36.0)
    corners = np.array([(0.0, 0.0), (72, 0), (72, 72), (0, 72)]) - 0.5
    matrix = crop_matrix(Detection(Box(0, 0, 72, 72), 1.0, None, corners, rule), card_template(card()))
    np.testing.assert_allclose(apply_matrix(matrix, corners), rule.corners(), atol=1e-9)


def test_a_turned_box_is_turned_upright() -> None:
    corners = np.roll(np.array([(0.0, 0.0), (96, 0), (96, 96), (0, 96)]), 1, axis=0)
    matrix = crop_matrix(Detection(Box(0, 0, 96, 96), 1.0, None, corners, HAAR_RULE), card_template(card()))
    top_left, top_right = apply_matrix(matrix, corners[:2])
    assert top_left[1] == pytest.approx(top_right[1])
    assert top_left[0] < top_right[0]


def test_landmarks_in_one_place_fall_back_on_the_box() -> None:
    box = (20, 20, 40, 50)
    (alone,) = given_detections(100, 100, boxes=[box])
    (both,) = given_detections(100, 100, boxes=[box], landmarks=[np.full((5, 2), 30.0)])
    template = card_template(card())
    np.testing.assert_allclose(crop_matrix(both, template), crop_matrix(alone, template))


def test_colour_and_size_come_from_the_card() -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[..., 0], picture[..., 2] = 200, 50
    faces = given_detections(300, 300, boxes=[(50, 50, 120, 150), (60, 60, 80, 100)])
    colour = crops(picture, faces, card(96, 64, "rgb"))
    assert colour.shape == (2, 64, 96, 3)
    assert (colour == [200, 0, 50]).all()
    assert crops(picture, faces, card(64, 64)).shape == (2, 64, 64)
    assert crops(picture, [], card()).shape == (0, 48, 48)


def test_a_larger_input_without_a_template_shows_the_same_face() -> None:
    picture = waves(400, 400, 50)
    faces = given_detections(400, 400, boxes=[(100, 100, 160, 200)])
    small = crops(picture, faces, card())[0]
    large = crops(picture, faces, card(96, 96))[0]
    halved = large.reshape(48, 2, 48, 2).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 1


def test_a_stated_template_is_used() -> None:
    template = tuple(Point(x + 10, y) for x, y in FER2013_TEMPLATE)
    (face,) = given_detections(100, 100, landmarks=[np.array(FER2013_TEMPLATE) - 0.5])
    matrix = crop_matrix(face, card_template(card(template=template)))
    np.testing.assert_allclose(matrix, [[1, 0, 10], [0, 1, 0]], atol=1e-6)


def test_outside_the_picture_its_edge_is_repeated() -> None:
    picture = np.full((60, 60, 3), 90, np.uint8)
    (face,) = given_detections(60, 60, boxes=[(-20, -20, 70, 80)])
    assert (crops(picture, [face], card()) == 90).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1_000_000, 1), (1, 40_000), (3, 2), (33_000, 40)])
def test_any_shape_of_picture_can_be_cut(width: int, height: int) -> None:
    picture = np.full((height, width, 3), 7, np.uint8)
    faces = given_detections(width, height, boxes=[(0, 0, width, height), (width - 1, height - 1, 9, 9)])
    assert (crops(picture, faces, card()) == 7).all()


def test_landmarks_far_outside_the_picture_can_be_cut() -> None:
    picture = np.full((30, 30, 3), 7, np.uint8)
    far = np.array(FER2013_TEMPLATE) * 1000 + 40_000
    faces = given_detections(30, 30, boxes=[(0, 0, 30, 30)], landmarks=[far])
    assert (crops(picture, faces, card()) == 7).all()


def test_matrices_invert() -> None:
    matrix = crop_matrix(haar_face(eyes=None), card_template(card()))
    corners = haar_face(eyes=None).corners
    back = apply_matrix(invert_matrix(matrix), apply_matrix(matrix, corners))
    np.testing.assert_allclose(back, corners, atol=1e-9)

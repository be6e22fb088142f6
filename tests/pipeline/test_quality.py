from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core.geometry import FER2013_TEMPLATE, Box, Landmarks
from mien.core.images import load
from mien.pipeline.quality import BRIGHT, DARK, SMALL, TURNED_YAW, estimate_pose, measure

POINTS = np.array(FER2013_TEMPLATE)
FRONTAL = Landmarks.from_array(POINTS * 4)
BOX = Box(0, 0, 100, 120)


def textured(mean: float = 128, contrast: float = 30) -> np.ndarray:
    noise = np.random.default_rng(0).normal(mean, contrast, (48, 48))
    return np.clip(noise, 0, 255).astype(np.uint8)


def head(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Landmarks:
    """Landmarks of an average head seen from afar; angles in degrees with the signs of `Pose`."""
    solid = np.array([(-31.5, -35, 0), (31.5, -35, 0), (0, 0, 40), (-25, 28, 0), (25, 28, 0)], dtype=float)
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    turn = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    nod = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    lean = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return Landmarks.from_array((solid @ turn.T @ nod.T @ lean.T)[:, :2] + 200)


def test_a_good_face_has_no_reasons() -> None:
    quality = measure(BOX, textured(), FRONTAL)
    assert quality.reasons == ()
    assert quality.size == 100
    assert quality.brightness == pytest.approx(128, abs=3)


@pytest.mark.parametrize(
    ("box", "crop", "landmarks", "reason"),
    [
        (Box(0, 0, SMALL - 1, 90), textured(), FRONTAL, "small"),
        (BOX, cv2.GaussianBlur(textured(), (0, 0), 3), FRONTAL, "blurred"),
        (BOX, textured(DARK - 15), FRONTAL, "dark"),
        (BOX, textured(BRIGHT + 15), FRONTAL, "bright"),
        (BOX, textured(), head(yaw=TURNED_YAW + 10), "turned"),
        (BOX, textured(), head(yaw=-TURNED_YAW - 10), "turned"),
        (BOX, textured(), head(pitch=35), "turned"),
    ],
)
def test_each_poor_face_has_its_reason(box: Box, crop: np.ndarray, landmarks: Landmarks, reason: str) -> None:
    assert measure(box, crop, landmarks).reasons == (reason,)


def test_a_leaning_face_is_not_turned() -> None:
    assert measure(BOX, textured(), head(roll=40)).reasons == ()


def test_without_landmarks_there_is_no_pose() -> None:
    assert measure(BOX, textured()).pose is None


def test_colour_and_other_sizes_are_measured_alike() -> None:
    gray = cv2.resize(textured(), (96, 96), interpolation=cv2.INTER_NEAREST)
    small, large = measure(BOX, textured()), measure(BOX, np.repeat(gray[..., None], 3, axis=2))
    assert large.sharpness == pytest.approx(small.sharpness, rel=0.02)
    assert large.brightness == pytest.approx(small.brightness, abs=0.5)


@given(st.floats(-80, 80))
def test_roll_is_positive_towards_the_viewers_right(angle: float) -> None:
    assert estimate_pose(head(roll=angle)).roll == pytest.approx(angle, abs=1e-6)


@given(st.floats(-50, 50), st.floats(-40, 40))
def test_yaw_is_positive_where_the_nose_points_to_the_viewers_right(yaw: float, roll: float) -> None:
    assert estimate_pose(head(yaw=yaw, roll=roll)).yaw == pytest.approx(yaw, abs=8)


@given(st.floats(15, 40), st.sampled_from([-1, 1]))
def test_pitch_is_positive_where_the_nose_points_up(pitch: float, sign: int) -> None:
    pose = estimate_pose(head(pitch=sign * pitch))
    assert pose.pitch * sign > 5
    assert abs(pose.pitch - sign * pitch) < 20


def test_the_median_face_looks_straight_ahead() -> None:
    pose = estimate_pose(FRONTAL)
    assert max(abs(pose.roll), abs(pose.yaw), abs(pose.pitch)) < 4


def test_points_in_one_place_have_no_pose() -> None:
    pose = estimate_pose(Landmarks.from_array(np.full((5, 2), 3.0)))
    assert (pose.roll, pose.yaw, pose.pitch) == (0, 0, 0)


def test_the_limits_suit_the_training_data(shared: Path) -> None:
    files = sorted((shared / "fer2013" / "train").glob("*/*.png"))[::150]
    faces = [measure(BOX, load(path)[..., 0].copy()) for path in files]
    poor = sum(bool(face.reasons) for face in faces) / len(faces)
    assert poor < 0.06
    softened = [cv2.resize(cv2.resize(load(path), (24, 24)), (48, 48))[..., 0] for path in files]
    blurred = sum("blurred" in measure(BOX, face.copy()).reasons for face in softened) / len(files)
    assert 0.3 < blurred < 0.7

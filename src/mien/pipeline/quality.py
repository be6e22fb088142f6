"""How well a face can be read: its size, sharpness, brightness and pose, with a reason for each poor one.

The limits are percentiles of the 48×48 faces of FER2013's training part, the only faces whose reading
was measured; `python benchmarks/face_geometry.py` measures them again.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import FER2013_TEMPLATE, Box, Landmarks
from mien.core.results import Pose, Quality

SMALL = 30
"""Pixels: a face with a shorter side below this has to be enlarged by a quarter or more to be read."""

BLURRED = 200.0
"""Variance of the Laplacian; one face in a thousand is below. It is also the median of the same faces
after they were shrunk to 24 pixels and enlarged again: half of the detail is gone."""

DARK = 55.0
BRIGHT = 200.0
"""Mean grey values; the 1st and the 99th percentile."""

TURNED_YAW = 35.0
TURNED_PITCH = 15.0
"""Degrees either way; beyond them lie 2 % and less than 1 % of the faces."""

_SIDE = 48
_TEMPLATE = np.array(FER2013_TEMPLATE)
_EYE_LINE = float(_TEMPLATE[:2, 1].mean())
_MOUTH_LINE = float(_TEMPLATE[3:, 1].mean())
_NOSE_LEVEL = float((_TEMPLATE[2, 1] - _EYE_LINE) / (_MOUTH_LINE - _EYE_LINE))

# How far the tip of the nose stands out before the eyes and mouth, in distances between the eyes: an
# average head, 40 of 63 millimetres. From eyes to mouth it is about as far as from eye to eye.
_NOSE_DEPTH = 0.63


def measure(box: Box, crop: NDArray[np.uint8], landmarks: Landmarks | None = None) -> Quality:
    """Return the quality of one face.

    Args:
        box: in pixels of the original picture.
        crop: uint8 (H, W) grey or (H, W, 3) RGB, aligned, before any filter.
        landmarks: in pixels of the original picture, or None; then the pose is None.
    """
    gray = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if gray.shape != (_SIDE, _SIDE):
        gray = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    size = min(box.width, box.height)
    sharpness = float(cv2.meanStdDev(cv2.Laplacian(gray, cv2.CV_16S))[1].item() ** 2)
    brightness = float(cv2.mean(gray)[0])
    pose = None if landmarks is None else estimate_pose(landmarks)
    turned = pose is not None and (abs(pose.yaw) > TURNED_YAW or abs(pose.pitch) > TURNED_PITCH)
    poor = {
        "small": size < SMALL,
        "blurred": sharpness < BLURRED,
        "dark": brightness < DARK,
        "bright": brightness > BRIGHT,
        "turned": turned,
    }
    reasons = tuple(reason for reason, applies in poor.items() if applies)
    return Quality(size, sharpness, brightness, pose, reasons)


def estimate_pose(landmarks: Landmarks) -> Pose:
    """Return a coarse pose from five landmarks, in degrees; see `mien.core.results.Pose` for the signs.

    Roll is the lean of the line through the eyes and of the one through the mouth's corners. Yaw and
    pitch compare where the nose lies between eyes and mouth with an average frontal face.
    """
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks.as_array() @ (1, 1j)
    across = (left_eye - right_eye) + (left_mouth - right_mouth)
    if abs(across) < 1e-9:
        return Pose(0.0, 0.0, 0.0)
    upright = across / abs(across)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    down = (mouth - eyes) / upright
    tip = (nose - eyes) / upright
    height = max(float(down.imag), 1e-9)
    level = float(tip.imag) / height
    beside = float(tip.real) - level * float(down.real)
    eye_distance = max(float(((left_eye - right_eye) / upright).real), 0.1 * height)
    yaw = math.atan(beside / (_NOSE_DEPTH * eye_distance))
    pitch = math.atan((_NOSE_LEVEL - level) / _NOSE_DEPTH)
    roll = math.atan2(float(upright.imag), float(upright.real))
    return Pose(*(math.degrees(angle) for angle in (roll, yaw, pitch)))

"""Faces that the caller already knows: no detector runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import OptionError
from mien.core.geometry import Box, Landmarks
from mien.pipeline.detect.base import FER2013_POINTS, BoxRule, Detection
from mien.pipeline.detect.yunet import YUNET_RULE
from mien.pipeline.similarity import apply_matrix, fit_similarity

GIVEN = "given"
"""What results call the detector when the caller gave boxes or landmarks."""

GIVEN_RULE: BoxRule = YUNET_RULE
"""Given boxes are read as YuNet's: tight around the face, from the top of the forehead to the chin."""

# Pixels. No picture holds a face beyond these, and further out the arithmetic of crops breaks down.
_SMALLEST, _FURTHEST = 1e-3, 1e9


def given_detections(
    width: int,
    height: int,
    boxes: Sequence[Box | Sequence[float]] | None = None,
    landmarks: Sequence[Landmarks | Sequence[Sequence[float]] | NDArray[Any]] | None = None,
) -> list[Detection]:
    """Return the caller's faces in a picture of `width` × `height` pixels, largest first.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        boxes: one a face: a Box, or left, top, width and height in pixels. Parts outside the picture
            are cut off.
        landmarks: one set a face: Landmarks, or an array (5, 2) in the order of LANDMARK_NAMES. With
            boxes as well, both have the same length and order; without, boxes are made from them.

    Raises:
        OptionError: a box or landmark is malformed, a face lies outside the picture, or the numbers
            of boxes and landmarks differ.
    """
    points = None if landmarks is None else [_landmarks(one) for one in landmarks]
    given = None if boxes is None else [_corners(box) for box in boxes]
    if points is not None and given is not None and len(points) != len(given):
        raise OptionError(
            f"{len(given)} boxes and {len(points)} sets of landmarks were given; give one of each a face"
        )
    if given is None:
        given = [_corners_around(one) for one in points or ()]
    marks: Sequence[Landmarks | None] = points if points is not None else [None] * len(given)
    faces = [
        Detection(_box_inside(corners, width, height), None, mark, corners, GIVEN_RULE)
        for corners, mark in zip(given, marks, strict=True)
    ]
    return sorted(faces, key=lambda face: face.box.area, reverse=True)


def _landmarks(given: Landmarks | Sequence[Sequence[float]] | NDArray[Any]) -> Landmarks:
    if not isinstance(given, Landmarks):
        try:
            given = Landmarks.from_array(np.asarray(given, np.float64))
        except (TypeError, ValueError) as error:
            raise OptionError(f"landmarks have to be five points (x, y), not {given!r}: {error}") from error
    if np.abs(given.as_array()).max() > _FURTHEST:
        raise OptionError(f"landmarks {given.as_array().tolist()} lie far outside any picture; give pixels")
    return given


def _corners(given: Box | Sequence[float]) -> NDArray[np.float64]:
    if isinstance(given, Box):
        given = (given.x, given.y, given.width, given.height)
    try:
        left, top, width, height = (float(v) for v in given)
    except (TypeError, ValueError):
        raise OptionError(f"a box has to be (x, y, width, height) in pixels, not {given!r}") from None
    if not np.isfinite((left, top, width, height)).all() or width <= 0 or height <= 0:
        raise OptionError(
            f"a box needs finite numbers and a positive width and height, not {(left, top, width, height)}"
        )
    if min(width, height) < _SMALLEST or max(abs(left), abs(top), width, height) > _FURTHEST:
        raise OptionError(
            f"box {(left, top, width, height)} is smaller or larger than any face; give x, y, width and "
            "height in pixels"
        )
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5


def _corners_around(landmarks: Landmarks) -> NDArray[np.float64]:
    to_picture = fit_similarity(FER2013_POINTS, landmarks.as_array(), robust=True)
    if to_picture is None:
        raise OptionError(f"landmarks {landmarks.as_array().tolist()} lie in one place; a face has a size")
    return apply_matrix(to_picture, GIVEN_RULE.corners())


def _box_inside(corners: NDArray[np.float64], width: int, height: int) -> Box:
    left, top = np.rint(np.clip(corners.min(axis=0) + 0.5, -1e9, 1e9)).astype(int)
    right, bottom = np.rint(np.clip(corners.max(axis=0) + 0.5, -1e9, 1e9)).astype(int)
    box = Box(int(left), int(top), max(1, int(right - left)), max(1, int(bottom - top)))
    inside = box.clipped(width, height)
    if inside is None:
        raise OptionError(
            f"box {(box.x, box.y, box.width, box.height)} lies outside the picture of {width}×{height} pixels"
        )
    return inside

"""From a picture and its faces to crops with the geometry of the training data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import FER2013_TEMPLATE
from mien.pipeline._resize import halve
from mien.pipeline.detect.base import FER2013_POINTS, Detection
from mien.pipeline.similarity import Matrix, apply_matrix, fit_similarity, invert_matrix
from mien.zoo.card import Card

_FER2013_SIDE = 48
_EYE_WEIGHT = 2.0  # of an eye against a corner of the box; see benchmarks/face_geometry.py


def crops(image: NDArray[np.uint8], detections: Sequence[Detection], card: Card) -> NDArray[np.uint8]:
    """Cut every face out of the full-resolution picture, aligned to the card's template.

    Only the face's own part of the picture is converted and resampled. What lies outside the picture
    repeats its edge, as in FER2013.

    Args:
        image: uint8 (H, W, 3) RGB.
        detections: faces of this picture.
        card: of the classifier; names the size, the colour and the template.

    Returns:
        uint8 (faces, height, width) grey, or (faces, height, width, 3) RGB where the card reads RGB.
    """
    size = (card.input.width, card.input.height)
    gray = card.input.colour == "gray"
    shape = (len(detections), size[1], size[0]) + (() if gray else (3,))
    out = np.empty(shape, np.uint8)
    template = card_template(card)
    for index, detection in enumerate(detections):
        out[index] = _warp(image, crop_matrix(detection, template), size, gray)
    return out


def card_template(card: Card) -> NDArray[np.float64]:
    """Return where the landmarks belong in the card's crop, float64 (5, 2), pixel centres at whole numbers.

    A card of another input size that states no template of its own means FER2013's at that size.
    """
    template = np.array(card.template, np.float64)
    if tuple(card.template) == FER2013_TEMPLATE:
        template *= np.array([card.input.width, card.input.height]) / _FER2013_SIDE
    return template - 0.5


def crop_matrix(detection: Detection, template: NDArray[np.float64]) -> Matrix:
    """Return the similarity that takes the picture to the crop.

    From the landmarks where there are five; otherwise from the box, by the rule measured for its
    detector, together with the eyes where they were found.
    """
    if detection.landmarks is not None:
        matrix = fit_similarity(detection.landmarks.as_array(), template, robust=True)
        if matrix is not None:
            return matrix
    matrix = _fit_box(detection, template)
    assert matrix is not None  # a detection's corners span an area
    return matrix


def _fit_box(detection: Detection, template: NDArray[np.float64]) -> Matrix | None:
    to_crop = fit_similarity(FER2013_POINTS, template)
    assert to_crop is not None  # FER2013's template is five different points
    target = apply_matrix(to_crop, detection.rule.corners())
    if detection.eyes is None:
        return fit_similarity(detection.corners, target)
    eyes = np.array(detection.eyes)
    return fit_similarity(
        np.vstack([_lean(detection.corners, eyes), eyes]),
        np.vstack([target, template[:2]]),
        weights=np.array([1.0] * 4 + [_EYE_WEIGHT] * 2),
    )


def _lean(corners: NDArray[np.float64], eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the upright box about its centre until it leans as the eyes do."""
    top, eye_line = corners[1] - corners[0], eyes[1] - eyes[0]
    turn = complex(*eye_line) / complex(*top)
    turn /= abs(turn)
    rotation = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    centre = corners.mean(axis=0)
    return np.asarray((corners - centre) @ rotation.T + centre, np.float64)


def _warp(image: NDArray[np.uint8], matrix: Matrix, size: tuple[int, int], gray: bool) -> NDArray[np.uint8]:
    """Resample one face; a face larger than the crop is averaged, never skipped through."""
    to_picture = invert_matrix(matrix)
    pixels = math.hypot(*to_picture[:, 0])  # of the picture, along one pixel of the crop
    left, top, region = _region(image, to_picture, size, math.ceil(pixels) + 1)
    if gray:
        region = np.asarray(cv2.cvtColor(region, cv2.COLOR_RGB2GRAY), np.uint8)
    halvings = 0
    while pixels >= 2 and max(region.shape[:2]) > 1:
        region = halve(region)
        pixels /= 2
        halvings += 1
    samples = 2 if pixels > 1 else 1  # each way within a pixel of the crop
    # From sample to crop to picture to region, all with pixel centres at whole numbers.
    shrunk = 0.5**halvings
    linear = to_picture[:, :2]
    offset = (np.array([0.5, 0.5]) / samples - 0.5) @ linear.T + to_picture[:, 2]
    offset = (offset - (left, top) + 0.5) * shrunk - 0.5
    sampling = np.column_stack([linear / samples * shrunk, offset])
    crop = cv2.warpAffine(
        region,
        sampling,
        (size[0] * samples, size[1] * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if samples > 1:
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8)


def _region(
    image: NDArray[np.uint8], to_picture: Matrix, size: tuple[int, int], margin: int
) -> tuple[int, int, NDArray[np.uint8]]:
    """Return the left, top and pixels of the part of the picture that the crop reads: at least one pixel."""
    width, height = size
    outline = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    reached = apply_matrix(to_picture, outline)
    limits = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(reached.min(axis=0)) - margin, 0, limits - 1).astype(int)
    high = np.clip(np.ceil(reached.max(axis=0)) + margin + 1, low + 1, limits).astype(int)
    left, top = (int(v) for v in low)
    return left, top, image[top : int(high[1]), left : int(high[0])]

"""The cascade of boosted Haar features that ships with OpenCV, with eyes from its eye cascade.

Viola, Jones: Rapid Object Detection using a Boosted Cascade of Simple Features. CVPR 2001.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ModelNotFoundError
from mien.pipeline.detect._pool import Pool
from mien.pipeline.detect.base import BoxRule, Candidate

# Medians on FER2013 training faces; `python benchmarks/face_geometry.py` measures them again.
# FER2013 was cut out with a detector of this kind: its box is nearly the whole picture.
HAAR_RULE = BoxRule(0.8, 0.5, 46.5, 46.5)

_FACES = "haarcascade_frontalface_alt2.xml"
_EYES = "haarcascade_eye.xml"
_STEP = 1.2
_WINDOW = 20  # side of the smallest face the cascade knows, in pixels
_NEIGHBOURS = 4  # overlapping hits that make a score of one half

# Where an eye is looked for, as shares of the face's box: left, top, right, bottom (viewer's view).
_RIGHT_EYE = (0.05, 0.15, 0.55, 0.62)
_LEFT_EYE = (0.45, 0.15, 0.95, 0.62)
_EYE_VIEW = 90  # width, in pixels, at which that part is searched
_STEEPEST = math.radians(30)  # the cascade finds no face that leans further, so such eyes are wrong


class _Cascades(NamedTuple):
    faces: Any
    eyes: Any


class HaarBackend:
    """OpenCV's frontal face cascade (alt2).

    The score of a face is n / (n + 4) for n overlapping hits: it ranks faces, it is no probability.
    """

    name = "haar"
    rule = HAAR_RULE
    threshold = 0.5
    margin = 0.25

    def __init__(self) -> None:
        self._pool = Pool(lambda: _Cascades(_load(_FACES), _load(_EYES)))

    def find(self, image: NDArray[np.uint8], threshold: float, min_side: float) -> list[Candidate]:
        """Return the faces of `image`, uint8 (H, W, 3) RGB."""
        if threshold >= 1.0 or min(image.shape[:2]) < _WINDOW:
            return []
        gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        least = max(1, math.ceil(_NEIGHBOURS * threshold / (1 - threshold)) - 1)
        side = max(_WINDOW, int(min_side))
        with self._pool.borrow() as cascades:
            boxes, hits = cascades.faces.detectMultiScale2(
                gray, scaleFactor=_STEP, minNeighbors=least, minSize=(side, side)
            )
            return [
                Candidate(tuple(box), n / (n + _NEIGHBOURS), eyes=_find_eyes(cascades.eyes, gray, box))
                for box, n in zip(np.asarray(boxes, float).tolist(), np.ravel(hits).tolist(), strict=True)
                if n / (n + _NEIGHBOURS) >= threshold
            ]


def _load(name: str) -> Any:
    path = Path(cv2.data.haarcascades) / name
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise ModelNotFoundError(
            f"OpenCV's cascade {str(path)!r} cannot be read; install opencv-python-headless again"
        )
    return cascade


def _find_eyes(cascade: Any, gray: NDArray[np.uint8], box: list[float]) -> NDArray[np.float64] | None:
    right = _find_eye(cascade, gray, box, _RIGHT_EYE)
    left = None if right is None else _find_eye(cascade, gray, box, _LEFT_EYE)
    if right is None or left is None:
        return None
    eyes = np.array([right, left])
    across, down = eyes[1] - eyes[0]
    plausible = across > 0.2 * box[2] and abs(math.atan2(down, across)) <= _STEEPEST
    return eyes if plausible else None


def _find_eye(
    cascade: Any, gray: NDArray[np.uint8], box: list[float], part: tuple[float, float, float, float]
) -> tuple[float, float] | None:
    x, y, width, height = box
    left, right = int(x + part[0] * width), int(x + part[2] * width)
    top, bottom = int(y + part[1] * height), int(y + part[3] * height)
    region = gray[max(top, 0) : bottom, max(left, 0) : right]
    if region.size == 0:
        return None
    scale = _EYE_VIEW / region.shape[1]
    view = (_EYE_VIEW, max(1, round(region.shape[0] * scale)))
    shrunk = cv2.resize(region, view, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    boxes, hits = cascade.detectMultiScale2(shrunk, scaleFactor=1.1, minNeighbors=3)
    if len(boxes) == 0:
        return None
    ex, ey, width, height = (float(v) for v in boxes[int(np.argmax(hits))])
    return (ex + width / 2) / scale + max(left, 0), (ey + height / 2) / scale + max(top, 0)

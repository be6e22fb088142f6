"""Faces carried from frame to frame by the motion of what is inside their boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import Box, Landmarks, Point
from mien.pipeline.detect import Detection
from mien.pipeline.similarity import Matrix, apply_matrix
from mien.video.frames import Frame

_SIDE = 320  # of the picture that motion is measured in; a face of 24 pixels in 720p still has 6
_GRID = 5  # points each way over the inner part of a box
_INNER = 0.8  # of a box's sides: its corners show the background
_WINDOW = (11, 11)
_LEVELS = 2
_MOST_BACK = 1.0  # pixels that a point may miss its place by, followed there and back
_FEWEST = 0.4  # of the points that have to be followed


class Motion:
    """Remembers the last picture, and says where the faces of it are in the next one.

    Points on each face are followed by the method of Lucas and Kanade in an image pyramid (Bouguet 2000),
    there and back (Kalal et al. 2010: Forward-Backward Error), and a rotation, scale and shift is fitted
    to those that come back to where they began.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._scale = 1.0

    def look(self, frame: Frame) -> NDArray[np.uint8]:
        """Return the small grey picture of a frame, uint8 (H, W), that motion is measured in."""
        self._scale = min(1.0, _SIDE / max(frame.size))
        return frame.grey(_SIDE)

    def advance(self, small: NDArray[np.uint8], faces: Sequence[Detection]) -> list[Detection | None]:
        """Return where `faces` of the last picture are in `small`, None for those that were lost sight of.

        The first picture carries nothing, nor does one of another size.
        """
        last, self._last = self._last, small
        if last is None or not faces:
            return [None] * len(faces)
        if last.shape != small.shape:
            return [None] * len(faces)
        before = np.stack([_points(face.box) for face in faces]) * self._scale
        shifts, good = _followed(last, small, before)
        bounds = (round(small.shape[1] / self._scale), round(small.shape[0] / self._scale))
        return [
            _carried(face, here / self._scale, there / self._scale, kept, bounds)
            for face, here, there, kept in zip(faces, before, shifts, good, strict=True)
        ]


def _points(box: Box) -> NDArray[np.float32]:
    """Return a grid over the inner part of a box, float32 (points, 2)."""
    steps = (np.arange(_GRID) + 0.5) / _GRID * _INNER + (1 - _INNER) / 2
    x, y = np.meshgrid(box.x + steps * box.width, box.y + steps * box.height)
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _followed(
    last: NDArray[np.uint8], small: NDArray[np.uint8], before: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Follow points (faces, points, 2) into the next picture; tell which came back to where they began."""
    start = before.reshape(-1, 1, 2).astype(np.float32)
    after, found = _flow(last, small, start)
    back, returned = _flow(small, last, after)
    missed = np.abs(back - start).max(axis=(1, 2))
    good = found & returned & (missed <= _MOST_BACK)
    return after.reshape(before.shape), good.reshape(before.shape[:2])


def _flow(
    last: NDArray[np.uint8], small: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        last, small, points, np.empty_like(points), winSize=_WINDOW, maxLevel=_LEVELS
    )
    return np.asarray(moved, np.float32), np.asarray(found).ravel() == 1


def _carried(
    face: Detection,
    here: NDArray[np.float32],
    there: NDArray[np.float32],
    good: NDArray[np.bool_],
    bounds: tuple[int, int],
) -> Detection | None:
    if good.mean() < _FEWEST:
        return None
    # Least median of squares: half of the points may be on a hand or on the background.
    matrix, _ = cv2.estimateAffinePartial2D(here[good], there[good], method=cv2.LMEDS, refineIters=0)
    if matrix is None or not 0.5 < np.hypot(*matrix[:, 0]) < 2:
        return None
    return moved(face, np.asarray(matrix, np.float64), bounds)


def moved(face: Detection, matrix: Matrix, bounds: tuple[int, int]) -> Detection | None:
    """Return a face after a rotation, scale and shift; None where it left the picture (width, height).

    Its box keeps standing upright: it is shifted and scaled only.
    """
    corners = apply_matrix(matrix, face.corners)
    centre = apply_matrix(matrix, _centre(face.box))[0]
    scale = float(np.hypot(*matrix[:, 0]))
    width, height = max(1, round(face.box.width * scale)), max(1, round(face.box.height * scale))
    left, top = round(float(centre[0]) + 0.5 - width / 2), round(float(centre[1]) + 0.5 - height / 2)
    box = Box(left, top, width, height).clipped(*bounds)
    if box is None:
        return None
    marks = face.landmarks
    eyes = None if face.eyes is None else apply_matrix(matrix, np.array(face.eyes))
    return replace(
        face,
        box=box,
        corners=corners,
        landmarks=None if marks is None else Landmarks.from_array(apply_matrix(matrix, marks.as_array())),
        eyes=None if eyes is None else (Point(*eyes[0].tolist()), Point(*eyes[1].tolist())),
    )


def _centre(box: Box) -> NDArray[np.float64]:
    """Return the centre of a box, float64 (1, 2), (0, 0) being the centre of the first pixel."""
    return np.array([[box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5]])

"""What every detector needs around it: a bounded picture, turned tries, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import Box, Landmarks, Point
from mien.core.options import AnalysisOptions
from mien.pipeline._resize import shrink
from mien.pipeline.detect.base import Backend, Candidate, Detection

# A picture smaller than this is enlarged, up to four times: backends were made for larger faces.
_TINY = 128
_ENLARGED = 192
_MOST_ENLARGED = 4.0
# A face that reaches beyond the picture can be larger than it, but not by much.
_LARGEST = 3.0


class SearchingDetector:
    """A detector made of a backend that sees one small upright picture."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @property
    def name(self) -> str:
        """The backend's name."""
        return self._backend.name

    def detect(self, image: NDArray[np.uint8], options: AnalysisOptions) -> list[Detection]:
        """Return the faces of `image`, uint8 (H, W, 3) RGB, largest first; an empty list for none."""
        if min(image.shape[:2]) < options.min_face:
            return []
        view = View.of(image, options.detection_side, self._backend.margin)
        found = self._find(view, 0, options)
        if not found and options.rotate:
            tries = (self._find(view, turns, options) for turns in (1, 2, 3))
            found = max(tries, key=lambda faces: sum(face.score or 0.0 for face in faces))
        found.sort(key=lambda face: face.box.area, reverse=True)
        return found[: options.max_faces]

    def _find(self, view: View, turns: int, options: AnalysisOptions) -> list[Detection]:
        threshold = options.detection_threshold
        candidates = self._backend.find(
            np.ascontiguousarray(np.rot90(view.pixels, turns)),
            self._backend.threshold if threshold is None else threshold,
            options.min_face * min(view.scale),
        )
        faces = (self._detection(view, turns, candidate) for candidate in candidates)
        return [face for face in faces if face and min(face.box.width, face.box.height) >= options.min_face]

    def _detection(self, view: View, turns: int, candidate: Candidate) -> Detection | None:
        if not _plausible(candidate, view):
            return None
        left, top, width, height = candidate.rectangle
        right, bottom = left + width, top + height
        shown = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        corners = view.to_original(shown, turns)
        box = _whole(corners, view)
        if box is None:
            return None
        landmarks = candidate.landmarks
        eyes = candidate.eyes
        return Detection(
            box=box,
            score=candidate.score,
            landmarks=None if landmarks is None else Landmarks.from_array(view.to_original(landmarks, turns)),
            corners=corners,
            rule=self._backend.rule,
            eyes=None if eyes is None else _pair(view.to_original(eyes, turns)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The picture that backends see, and the way from it to the original.

    Attributes:
        pixels: uint8 (h, w, 3), the original resized and perhaps framed.
        width, height: of the original.
        scale: view pixels per original pixel, across and down.
        border: pixels of frame on every side.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    scale: tuple[float, float]
    border: int

    @classmethod
    def of(cls, image: NDArray[np.uint8], side: int, margin: float) -> View:
        """Shrink `image` until its longer side is at most `side`, or enlarge and frame a tiny one."""
        height, width = image.shape[:2]
        longer = max(width, height)
        border = 0
        if longer > side:
            pixels = shrink(image, *_size(image, side / longer))
        elif longer < _TINY:
            factor = min(_MOST_ENLARGED, _ENLARGED / longer, side / longer)
            pixels = _uint8(cv2.resize(image, _size(image, factor), interpolation=cv2.INTER_CUBIC))
            border = round(margin * max(pixels.shape[:2]))
        else:
            pixels = image
        scale = (pixels.shape[1] / width, pixels.shape[0] / height)
        if border:
            pixels = _uint8(cv2.copyMakeBorder(pixels, border, border, border, border, cv2.BORDER_REPLICATE))
        return cls(pixels, width, height, scale, border)

    def to_original(self, points: NDArray[np.float64], turns: int) -> NDArray[np.float64]:
        """Return where points of the view, turned by `turns` quarters, lie in the original.

        Args:
            points: float64 (n, 2), counted from the top left corner of the turned view.
            turns: quarter turns against the clock, as in `numpy.rot90`.

        Returns:
            float64 (n, 2), pixels of the original, (0, 0) being the centre of its first pixel.
        """
        height, width = self.pixels.shape[:2]
        x, y = points[:, 0], points[:, 1]
        upright = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[turns % 4]
        framed = np.stack(upright, axis=1)
        return np.asarray((framed - self.border) / np.array(self.scale) - 0.5, np.float64)


def _uint8(image: object) -> NDArray[np.uint8]:
    return np.asarray(image, np.uint8)


def _size(image: NDArray[np.uint8], factor: float) -> tuple[int, int]:
    height, width = image.shape[:2]
    return max(1, round(width * factor)), max(1, round(height * factor))


def _plausible(candidate: Candidate, view: View) -> bool:
    """Networks shown extreme strips give boxes of any size, also infinite ones; no face is that large."""
    longest = _LARGEST * max(view.pixels.shape[:2])
    numbers = [np.asarray(candidate.rectangle, np.float64).ravel()]
    if candidate.landmarks is not None:
        numbers.append(candidate.landmarks.ravel())
    # Written so that a number that is none (NaN) is not plausible either.
    return bool((np.abs(np.concatenate(numbers)) <= longest).all())


def _whole(corners: NDArray[np.float64], view: View) -> Box | None:
    """Return the box around `corners` in whole pixels inside the picture, or None."""
    left, top = np.rint(corners.min(axis=0) + 0.5).astype(int)
    right, bottom = np.rint(corners.max(axis=0) + 0.5).astype(int)
    if right <= left or bottom <= top:
        return None
    return Box(int(left), int(top), int(right - left), int(bottom - top)).clipped(view.width, view.height)


def _pair(points: NDArray[np.float64]) -> tuple[Point, Point]:
    (rx, ry), (lx, ly) = points.tolist()
    return Point(rx, ry), Point(lx, ly)

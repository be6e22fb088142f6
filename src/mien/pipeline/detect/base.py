"""What a detector is and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import FER2013_TEMPLATE, Box, Landmarks, Point
from mien.core.options import AnalysisOptions

FER2013_POINTS: NDArray[np.float64] = np.array(FER2013_TEMPLATE) - 0.5
"""The landmarks of the median FER2013 face, float64 (5, 2), with (0, 0) the centre of its first pixel.

Templates, like detectors, count from the top left corner of the picture, half a pixel before that.
"""


class BoxRule(NamedTuple):
    """Where a detector's box lies on a FER2013 face: left, top, width, height in its 48×48 pixels.

    Edges, not pixel centres: the whole picture is (0, 0, 48, 48).
    """

    left: float
    top: float
    width: float
    height: float

    def corners(self) -> NDArray[np.float64]:
        """Return its corners, float64 (4, 2), clockwise from the top left; (0, 0) is a pixel's centre."""
        left, top, right, bottom = self.left, self.top, self.left + self.width, self.top + self.height
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that was found or given, before it is read.

    Attributes:
        box: whole pixels of the original picture, inside it.
        score: in [0, 1]; comparable within one detector only. None when the caller gave the face.
        landmarks: in pixels of the original picture, or None.
        corners: float64 (4, 2), the detector's box before rounding and clipping: the face's own top
            left, top right, bottom right and bottom left corner as seen by the viewer of the upright
            face. A face found in a turned picture has turned corners.
        rule: where such a box lies on a FER2013 face.
        eyes: centres of the right and the left eye, from a detector that finds eyes but no landmarks.
    """

    box: Box
    score: float | None
    landmarks: Landmarks | None
    corners: NDArray[np.float64]
    rule: BoxRule
    eyes: tuple[Point, Point] | None = None


@runtime_checkable
class Detector(Protocol):
    """Finds faces; safe to share between threads."""

    @property
    def name(self) -> str:
        """Short name written into results, such as "yunet"."""

    def detect(self, image: NDArray[np.uint8], options: AnalysisOptions) -> list[Detection]:
        """Return the faces of `image`, uint8 (H, W, 3) RGB, largest first; an empty list for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A face in the picture a backend was shown.

    Coordinates count from the top left corner of that picture, not from the centre of its first pixel.

    Attributes:
        rectangle: left, top, width, height.
        score: in [0, 1].
        landmarks: float64 (5, 2) in the order of LANDMARK_NAMES, or None.
        eyes: float64 (2, 2), right and left eye, or None.
    """

    rectangle: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float64] | None = None
    eyes: NDArray[np.float64] | None = None


class Backend(Protocol):
    """The detector proper: it sees one small picture, knows nothing of scales, turns and limits.

    Attributes:
        name: as in `Detector`.
        rule: where its box lies on a FER2013 face.
        threshold: the least score it takes where the options name none.
        margin: border to add to a tiny picture, as a share of its longer side, because the backend
            cannot find a face that fills the picture.
    """

    name: str
    rule: BoxRule
    threshold: float
    margin: float

    def find(self, image: NDArray[np.uint8], threshold: float, min_side: float) -> list[Candidate]:
        """Return faces with at least `threshold`; smaller ones than `min_side` pixels may be left out."""

"""What a face looks like, to know it again: the colours of head and clothes, and its shades."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import Box

_BINS = (8, 4, 4)  # of hue, saturation and value
_SIDE = 16
_WIDER, _HIGHER = 0.3, 1.0  # of the box beyond its sides and below its chin: hair and clothes
_LEARNT = 0.2  # of what is remembered, replaced at each look


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """Colours and shades of one face.

    Attributes:
        colours: float32 histogram of hue, saturation and value about the face, summing to 1.
        shades: float32 (256,), the face in 16×16 pixels of grey, of mean 0 and length 1.
    """

    colours: NDArray[np.float32]
    shades: NDArray[np.float32]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], box: Box) -> Appearance:
        """Return how the face in `box` of a picture, uint8 (H, W, 3) RGB, looks."""
        face = _patch(pixels, box.x, box.y, box.right, box.bottom)
        wide, high = round(box.width * _WIDER), round(box.height * _HIGHER)
        person = _patch(pixels, box.x - wide, box.y, box.right + wide, box.bottom + high)
        small = cv2.resize(person, (24, 40), interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
        colours = cv2.calcHist([hsv], [0, 1, 2], None, list(_BINS), [0, 180, 0, 256, 0, 256]).ravel()
        tiny = cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        gray = np.asarray(cv2.cvtColor(tiny, cv2.COLOR_RGB2GRAY), np.float32)
        return cls(np.asarray(colours / max(float(colours.sum()), 1.0), np.float32), _shades(gray))

    def likeness(self, other: Appearance) -> float:
        """Return how alike two faces look, in [0, 1]: colours (Bhattacharyya) and shades, half each."""
        colours = float(np.sqrt(self.colours * other.colours).sum())
        return 0.5 * colours + 0.5 * max(0.0, float(self.shades @ other.shades))

    def learnt(self, other: Appearance) -> Appearance:
        """Return a mean of what was remembered and what is seen now."""
        shades = np.asarray((1 - _LEARNT) * self.shades + _LEARNT * other.shades, np.float32)
        return Appearance(
            np.asarray((1 - _LEARNT) * self.colours + _LEARNT * other.colours, np.float32),
            np.asarray(shades / max(float(np.linalg.norm(shades)), 1e-6), np.float32),
        )


def _patch(pixels: NDArray[np.uint8], left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return pixels[top : max(top + 1, min(bottom, height)), left : max(left + 1, min(right, width))]


def _shades(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    values = gray.ravel() - gray.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)

"""What a face looks like, to know it again: the colours of head and clothes, and its shades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import Box

_BINS = (8, 4, 4)  # of hue, saturation and value
_SIDE = 16
_SMALL = (24, 40)  # width and height that colours are counted in
_CLEAR = 0.75  # of a look that teaches what somebody looks like
_WIDER, _HIGHER = 0.3, 1.0  # of the box beyond its sides and below its chin: hair and clothes
_LEARNT = 0.2  # of what is remembered, replaced at each look


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """Colours and shades of one face.

    Attributes:
        colours: float32 histogram of hue, saturation and value about the face, summing to 1.
        shades: float32 (256,), the face in 16×16 pixels of grey, of mean 0 and length 1.
        clear: share of what it was taken from that is its own: in the picture, and before nobody else.
    """

    colours: NDArray[np.float32]
    shades: NDArray[np.float32]
    clear: float

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], box: Box, others: Sequence[Box] = ()) -> Appearance:
        """Return how the face in `box` of a picture, uint8 (H, W, 3) RGB, looks.

        Colours where `others`, faces and what is about them, may be before it are left out.
        """
        face = _patch(pixels, box)
        wider = _wider(box)
        person = cv2.resize(_patch(pixels, wider), _SMALL, interpolation=cv2.INTER_AREA)
        own = _own(wider, [_wider(other) for other in others], pixels.shape)
        hsv = cv2.cvtColor(person, cv2.COLOR_RGB2HSV)
        mask = own if own.any() else None
        colours = cv2.calcHist([hsv], [0, 1, 2], mask, list(_BINS), [0, 180, 0, 256, 0, 256]).ravel()
        tiny = cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        gray = np.asarray(cv2.cvtColor(tiny, cv2.COLOR_RGB2GRAY), np.float32)
        return cls(
            np.asarray(colours / max(float(colours.sum()), 1.0), np.float32),
            _shades(gray),
            float(np.count_nonzero(own)) / own.size,
        )

    def likeness(self, other: Appearance) -> float:
        """Return how alike two faces look, in [0, 1]: colours (Bhattacharyya) and shades, half each."""
        colours = float(np.sqrt(self.colours * other.colours).sum())
        return 0.5 * colours + 0.5 * max(0.0, float(self.shades @ other.shades))

    def learnt(self, other: Appearance) -> Appearance:
        """Return a mean of what was remembered and what is seen now; what is covered teaches nothing."""
        if other.clear < min(_CLEAR, self.clear):
            return self
        new = _LEARNT if self.clear >= _CLEAR else 1.0
        shades = np.asarray((1 - new) * self.shades + new * other.shades, np.float32)
        return Appearance(
            np.asarray((1 - new) * self.colours + new * other.colours, np.float32),
            np.asarray(shades / max(float(np.linalg.norm(shades)), 1e-6), np.float32),
            max(self.clear, other.clear),
        )


def _wider(box: Box) -> Box:
    """Return a box with hair and clothes."""
    wide, high = round(box.width * _WIDER), round(box.height * _HIGHER)
    return Box(box.x - wide, box.y, box.width + 2 * wide, box.height + high)


def _own(box: Box, others: Sequence[Box], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return which part of a box, uint8 (40, 24), is no other's: 1 or 0; of the picture's part of it."""
    width, height = _SMALL
    own = np.ones((height, width), np.uint8)
    inside = box.clipped(shape[1], shape[0])
    if inside is None:
        return own
    for other in others:
        left, right = ((edge - inside.x) * width / inside.width for edge in (other.x, other.right))
        top, bottom = ((edge - inside.y) * height / inside.height for edge in (other.y, other.bottom))
        own[max(0, round(top)) : max(0, round(bottom)), max(0, round(left)) : max(0, round(right))] = 0
    return own


def _patch(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    left, top = min(max(box.x, 0), width - 1), min(max(box.y, 0), height - 1)
    return pixels[top : max(top + 1, min(box.bottom, height)), left : max(left + 1, min(box.right, width))]


def _shades(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    values = gray.ravel() - gray.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)

"""Where plates go: beside their face, inside the picture, clear of other faces and plates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import Box

# How bad it is to cover something, as a share of what is covered, against one step further from the
# face. Two plates on each other make both unreadable; a plate on its own face hides what it names.
_COST_OF_PLATE = 12.0
_COST_OF_OTHER_FACE = 4.0
_COST_OF_OWN_FACE = 1.5
_COST_OF_STEP = 0.03
HARMLESS = 0.15
"""A plate may do this much: cover an edge, nothing that is read."""

_NEAR = 12
"""The first so many candidates touch their face; the others need a leader."""


class Rect(NamedTuple):
    """A rectangle in pixels: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int


class Place(NamedTuple):
    """A place for a plate, and how much is wrong with it: 0 where it covers no plate and no face."""

    rect: Rect
    harm: float


class Layout:
    """Places plates one after another in a picture of `width` × `height` pixels."""

    def __init__(self, width: int, height: int, boxes: Sequence[Box]) -> None:
        self._width, self._height = width, height
        self._boxes = np.array([(b.x, b.y, b.right, b.bottom) for b in boxes], np.float64).reshape(-1, 4)
        self._box_areas = _areas(self._boxes)
        self._plates = np.empty((0, 4), np.float64)

    def find(self, index: int, size: tuple[int, int], gap: int, *, near: bool = False) -> Place:
        """Return the best place for a plate of `size` (width, height), `gap` pixels from the face `index`.

        With `near`, only places that touch the face are looked at.
        """
        points = self._candidates(index, size, gap)[: _NEAR if near else None]
        corners = np.concatenate([points, points + size], axis=1)
        area = float(size[0] * size[1])
        on_plates = (_covered(corners, self._plates) / np.minimum(area, _areas(self._plates))).sum(axis=1)
        # A share of the smaller one: a large panel that hides a tiny face hides all of it.
        on_faces = _covered(corners, self._boxes) / np.minimum(area, self._box_areas)
        on_own = on_faces[:, index]
        harm = (
            _COST_OF_PLATE * on_plates
            + _COST_OF_OTHER_FACE * (on_faces.sum(axis=1) - on_own)
            + _COST_OF_OWN_FACE * on_own
        )
        # The nearest harmless place, or the least harmful one.
        best = int(
            (np.where(harm < HARMLESS, 0.0, 1.0 + harm) + _COST_OF_STEP * np.arange(len(points))).argmin()
        )
        return Place(Rect(int(points[best, 0]), int(points[best, 1]), *size), float(harm[best]))

    def keep(self, rect: Rect) -> None:
        """Let later plates avoid `rect`."""
        corners = [[rect.x, rect.y, rect.x + rect.width, rect.y + rect.height]]
        self._plates = np.concatenate([self._plates, np.array(corners, np.float64)])

    def _candidates(self, index: int, size: tuple[int, int], gap: int) -> NDArray[np.float64]:
        left, top, right, bottom = self._boxes[index]
        width, height = size
        above, below = top - gap - height, bottom + gap
        middle = (left + right - width) / 2
        places = [
            (left - gap, above),
            (left - gap, below),
            (right + gap - width, above),
            (right + gap - width, below),
            (middle, above),
            (middle, below),
            (right + gap, top - gap),
            (left - gap - width, top - gap),
            (right + gap, bottom + gap - height),
            (left - gap - width, bottom + gap - height),
            (left, top),
            (left, bottom - height),
        ]
        for step in (1, 2, 3):
            places += [(left - gap, above - step * height), (left - gap, below + step * height)]
        points = np.floor(np.array(places, np.float64))
        points[:, 0] = points[:, 0].clip(0, self._width - width)
        points[:, 1] = points[:, 1].clip(0, self._height - height)
        return points


def _areas(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return areas


def _covered(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shared area, (len(one), len(other)), of rectangles given by their corners."""
    across = np.minimum(one[:, None, 2], other[None, :, 2]) - np.maximum(one[:, None, 0], other[None, :, 0])
    down = np.minimum(one[:, None, 3], other[None, :, 3]) - np.maximum(one[:, None, 1], other[None, :, 1])
    shared: NDArray[np.float64] = across.clip(0) * down.clip(0)
    return shared

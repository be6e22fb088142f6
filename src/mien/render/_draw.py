"""Lines and plates straight into an RGB array: only the pixels under them are touched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.core.colours import INK, Colour
from mien.core.geometry import Box
from mien.render._layout import Rect

Canvas = NDArray[np.uint8]


def frame(canvas: Canvas, box: Box, thickness: int, colour: Colour, *, dashed: bool = False) -> None:
    """Draw the outline of `box` in `colour`, with a dark edge on both sides; what is outside is cut off."""
    edge = edge_width(thickness)
    _ring(canvas, box, edge, thickness + edge, INK, 0)
    _ring(canvas, box, 0, thickness, colour, 4 * thickness if dashed else 0)


def edge_width(thickness: int) -> int:
    """Return the width of the dark edge of a line, in pixels."""
    return max(1, thickness // 2)


def dot(canvas: Canvas, x: float, y: float, radius: int, colour: Colour) -> None:
    """Draw a small square point with a dark edge, its centre at (x, y)."""
    column, row = round(x), round(y)
    for reach, paint in ((radius + 1, INK), (radius, colour)):
        _fill(canvas, column - reach, row - reach, column + reach + 1, row + reach + 1, paint)


def post(canvas: Canvas, x: int, top: int, bottom: int, thickness: int, colour: Colour) -> None:
    """Draw an upright line from `top` to `bottom`, with a dark edge."""
    edge = edge_width(thickness)
    _fill(canvas, x - edge, top, x + thickness + edge, bottom, INK)
    _fill(canvas, x, top, x + thickness, bottom, colour)


def paste(canvas: Canvas, picture: NDArray[np.uint8], place: Rect) -> None:
    """Put `picture` at `place`, which is inside the canvas, with a dark edge where there is room."""
    _fill(canvas, place.x - 1, place.y - 1, place.x + place.width + 1, place.y + place.height + 1, INK)
    canvas[place.y : place.y + place.height, place.x : place.x + place.width] = picture


def _fill(canvas: Canvas, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
    canvas[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = colour


def _ring(canvas: Canvas, box: Box, outside: int, inside: int, colour: Colour, dash: int) -> None:
    """Fill the band from `outside` pixels around the box to `inside` pixels within it."""
    left, top = box.x - outside, box.y - outside
    right, bottom = box.right + outside, box.bottom + outside
    band = outside + inside
    for y in (top, bottom - band):
        _dashes(canvas, y, y + band, left, right, colour, dash, upright=False)
    for x in (left, right - band):
        _dashes(canvas, x, x + band, top, bottom, colour, dash, upright=True)


def _dashes(
    canvas: Canvas,
    near: int,
    far: int,
    start: int,
    stop: int,
    colour: Colour,
    dash: int,
    *,
    upright: bool,
) -> None:
    """Fill from `start` to `stop` along one side; with `dash`, every second stretch of that length."""
    pieces = [(start, stop)]
    if dash:
        # An odd number of stretches: a side begins and ends with paint, so the corners are closed.
        count = max(1, round((stop - start) / dash)) // 2 * 2 + 1
        ends = [start + (stop - start) * k // count for k in range(count + 1)]
        pieces = [(ends[k], ends[k + 1]) for k in range(0, count, 2)]
    for begin, end in pieces:
        if upright:
            _fill(canvas, near, begin, far, end, colour)
        else:
            _fill(canvas, begin, near, end, far, colour)

"""The panel of all scores: a title on a plate, under it one bar a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.core.colours import ink_on
from mien.core.results import Face
from mien.render._text import Typeface
from mien.render.style import Style

_PAPER = (24, 24, 24)
_TROUGH = (72, 72, 72)
_WORDS = (255, 255, 255)
_MINOR = 0.85
"""Size of the rows' text against the title's."""


def bars_size(typeface: Typeface, title: str, names: Sequence[str], size: int) -> tuple[int, int]:
    """Return width and height of the panel that `bars_panel` draws."""
    _, _, width, row = _columns(typeface, title, names, size)
    head = typeface.plate_size(title, size)[1]
    return width, head + len(names) * row + _margin(size)


def bars_panel(
    typeface: Typeface, style: Style, title: str, names: Sequence[str], face: Face, size: int
) -> NDArray[np.uint8]:
    """Return the panel as RGB uint8; `names` are the labels of `face.scores` as they are shown."""
    from PIL import Image, ImageDraw

    width, height = bars_size(typeface, title, names, size)
    colour = style.colour(face.emotion)
    panel = Image.new("RGB", (width, height), _PAPER)
    canvas = ImageDraw.Draw(panel)
    plate = typeface.plate(title, size, ink_on(colour), colour)
    head = plate.shape[0]
    canvas.rectangle((0, 0, width, head - 1), fill=colour)
    panel.paste(Image.fromarray(plate), (0, 0))

    name_width, bar_width, _, row = _columns(typeface, title, names, size)
    minor, margin = _minor(size), _margin(size)
    bar_left = margin + name_width + margin
    for index, (name, (label, score)) in enumerate(zip(names, face.scores.items(), strict=True)):
        top = head + margin // 2 + index * row
        typeface.draw(canvas, (margin, top), name, minor, _WORDS)
        edge = max(1, row // 5)
        canvas.rectangle((bar_left, top + edge, bar_left + bar_width - 1, top + row - 1 - edge), fill=_TROUGH)
        filled = round(score * bar_width)
        if filled:
            place = (bar_left, top + edge, bar_left + filled - 1, top + row - 1 - edge)
            canvas.rectangle(place, fill=style.colour(label))
        percent = f"{score:.0%}"
        right = width - margin - typeface.width(percent, minor)
        typeface.draw(canvas, (right, top), percent, minor, _WORDS)
    return np.asarray(panel)


def _columns(typeface: Typeface, title: str, names: Sequence[str], size: int) -> tuple[int, int, int, int]:
    """Return the width of names, of bars and of the whole panel, and the height of a row."""
    minor, margin = _minor(size), _margin(size)
    name_width = max(typeface.width(name, minor) for name in names)
    others = 2 * margin + name_width + 2 * margin + typeface.width("100%", minor)
    title_width = typeface.plate_size(title, size)[0]
    bar_width = max(4 * size, title_width - others)
    return name_width, bar_width, others + bar_width, typeface.line_height(minor)


def _minor(size: int) -> int:
    return max(9, round(_MINOR * size))


def _margin(size: int) -> int:
    return max(3, round(0.35 * size))

"""Text as small pictures, made with Pillow and kept, so that a film does not draw the same word twice."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import OptionError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from mien.core.colours import Colour

SMALLEST = 9
"""Pixels of the smallest text that a person can still read."""


@lru_cache(maxsize=128)
def load_font(path: str | None, size: int) -> FreeTypeFont:
    """Return the font at `path`, or Mien's own, at `size` pixels."""
    from PIL import ImageFont

    # The basic layout is the same on every machine; it needs composed letters, which `clean` makes.
    basic = ImageFont.Layout.BASIC
    if path is not None:
        try:
            return ImageFont.truetype(path, size, layout_engine=basic)
        except OSError as error:
            raise OptionError(f"font {path!r} cannot be read: {error}; give a .ttf or .otf file") from error
    with resources.as_file(resources.files("mien.render") / "fonts" / "DejaVuSans-Bold.ttf") as own:
        return ImageFont.truetype(str(own), size, layout_engine=basic)


class Typeface:
    """One font in every size, and the pictures of what was written with it."""

    def __init__(self, font: str | Path | None = None) -> None:
        self._path = None if font is None else str(font)
        load_font(self._path, SMALLEST)

    def width(self, text: str, size: int) -> int:
        """Return the width of `text` in pixels."""
        return round(load_font(self._path, size).getlength(text))

    def line_height(self, size: int) -> int:
        """Return the height of one line: letters with two marks above and a tail below fit."""
        return sum(load_font(self._path, size).getmetrics())

    def plate_size(self, text: str, size: int) -> tuple[int, int]:
        """Return width and height of the plate that `plate` draws."""
        return self.width(text, size) + 2 * _padding(size), self.line_height(size) + 2

    def plate(self, text: str, size: int, ink: Colour, paper: Colour) -> NDArray[np.uint8]:
        """Return `text` on a plate: RGB uint8 (height, width, 3), read-only."""
        return _plate(self._path, text, size, ink, paper)

    def draw(self, canvas: Any, xy: tuple[float, float], text: str, size: int, ink: Colour) -> None:
        """Write `text` onto an ImageDraw, its top left corner at `xy`."""
        canvas.text(xy, text, font=load_font(self._path, size), fill=ink, anchor="la")

    def shortened(self, text: str, size: int, width: int) -> str:
        """Return `text`, cut with an ellipsis where it is wider than `width` pixels; "" if nothing fits."""
        if self.width(text, size) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.width(text[:middle].rstrip() + "…", size) <= width
            low, high = (middle, high) if fits else (low, middle - 1)
        return text[:low].rstrip() + "…" if low else ""


def clean(text: str) -> str:
    """Return `text` with composed letters and without what cannot be drawn on one line."""
    composed = unicodedata.normalize("NFC", text)
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in composed)


def _padding(size: int) -> int:
    return max(2, round(0.35 * size))


@lru_cache(maxsize=1024)
def _plate(path: str | None, text: str, size: int, ink: Colour, paper: Colour) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw

    font = load_font(path, size)
    width = round(font.getlength(text)) + 2 * _padding(size)
    image = Image.new("RGB", (width, sum(font.getmetrics()) + 2), paper)
    ImageDraw.Draw(image).text((_padding(size), 1), text, font=font, fill=ink, anchor="la")
    array = np.array(image)
    array.setflags(write=False)
    return array

"""Face sheets: the faces of many pictures side by side, each with its label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from mien.core.colours import Colour, ink_on
from mien.core.emotions import display_name
from mien.core.errors import OptionError
from mien.core.geometry import Box
from mien.core.results import Face, ImageAnalysis
from mien.render._text import SMALLEST, Typeface, clean
from mien.render.annotator import check_image
from mien.render.style import Style

_PAPER: Colour = (32, 32, 32)
_WORDS: Colour = (224, 224, 224)
_GAP = 8
_CONTEXT = 1.3
"""Side of a crop against the longer side of the face's box."""


def face_sheet(
    pictures: Iterable[tuple[NDArray[np.uint8], ImageAnalysis]],
    *,
    columns: int | None = None,
    cell: int = 160,
    language: str = "en",
    style: Style | None = None,
) -> NDArray[np.uint8]:
    """Return one picture with a crop of every face, its label and the name of its picture.

    Only the crops are kept, so a generator of large pictures costs little memory.

    Args:
        pictures: pairs of an RGB uint8 (height, width, 3) picture and its analysis.
        columns: faces in a row; without it the sheet is about as wide as high.
        cell: side of a crop in pixels, at least 48.
        language: of the labels: "en", "vi" or "ro".
        style: colours and font.

    Returns:
        RGB uint8 (height, width, 3).

    Raises:
        OptionError: there is no face at all, or an option or picture has a wrong value.
    """
    if not 48 <= cell <= 2048:
        raise OptionError(f"cell has to be between 48 and 2048 pixels, not {cell!r}")
    if columns is not None and columns < 1:
        raise OptionError(f"columns has to be at least 1, not {columns!r}")
    display_name(None, language)
    maker = _Cells(cell, language, style or Style())
    cells = [
        maker.make(image, face, analysis.source) for image, analysis in pictures for face in analysis.faces
    ]
    if not cells:
        raise OptionError("a face sheet needs at least one face; none of the pictures has one")
    return _grid(cells, columns or math.ceil(math.sqrt(len(cells))))


class _Cells:
    """Makes the cells of one sheet."""

    def __init__(self, side: int, language: str, style: Style) -> None:
        self._side, self._language, self._style = side, language, style
        self._typeface = Typeface(style.font)
        self._size = max(SMALLEST, round(side / 11 * style.scale))
        self._minor = max(SMALLEST, round(0.75 * self._size))

    def make(self, image: NDArray[np.uint8], face: Face, source: str | None) -> NDArray[np.uint8]:
        """Return the crop with its label below and the name of the picture under that."""
        from PIL import Image, ImageDraw

        check_image(image, [face])
        side, colour = self._side, self._style.colour(face.emotion)
        head, foot = self._typeface.line_height(self._size) + 2, self._typeface.line_height(self._minor) + 2
        cell = Image.new("RGB", (side, side + head + foot), _PAPER)
        crop = Image.fromarray(_crop(image, face.box))
        cell.paste(crop.resize((side, side), Image.Resampling.LANCZOS), (0, 0))
        canvas = ImageDraw.Draw(cell)
        canvas.rectangle((0, side, side, side + head - 1), fill=colour)
        self._write(canvas, side + 1, self._label(face), self._size, ink_on(colour))
        name = "" if source is None else clean(PurePath(source).name)
        self._write(canvas, side + head + 1, name, self._minor, _WORDS)
        return np.asarray(cell)

    def _write(self, canvas: object, top: int, text: str, size: int, ink: Colour) -> None:
        text = self._typeface.shortened(text, size, self._side - 8)
        self._typeface.draw(canvas, (4, top), text, size, ink)

    def _label(self, face: Face) -> str:
        name = clean(display_name(face.emotion, self._language))
        name = name[:1].upper() + name[1:]
        return name if face.emotion is None else f"{name} {face.confidence:.0%}"


def _crop(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return the square around `box`; beyond the picture it is paper."""
    side = max(1, round(_CONTEXT * max(box.width, box.height)))
    left, top = box.x + (box.width - side) // 2, box.y + (box.height - side) // 2
    crop = np.empty((side, side, 3), np.uint8)
    crop[:] = _PAPER
    inside = Box(left, top, side, side).clipped(image.shape[1], image.shape[0])
    if inside is not None:
        rows = slice(inside.y - top, inside.bottom - top)
        across = slice(inside.x - left, inside.right - left)
        crop[rows, across] = image[inside.y : inside.bottom, inside.x : inside.right]
    return crop


def _grid(cells: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    columns = min(columns, len(cells))
    rows = math.ceil(len(cells) / columns)
    height, width = cells[0].shape[:2]
    sheet = np.empty((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), np.uint8)
    sheet[:] = _PAPER
    for index, cell in enumerate(cells):
        top = _GAP + index // columns * (height + _GAP)
        left = _GAP + index % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = cell
    return sheet

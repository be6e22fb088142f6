"""Saved faces side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.core import images
from mien.core.errors import ImageError, OptionError
from mien.core.geometry import Box
from mien.core.results import Face, ImageAnalysis, ModelReference, Quality, Scores
from mien.gallery.store import SavedFace
from mien.render import face_sheet

MOST = 400
"""Faces on one sheet; it would not be looked at if there were more."""


def gallery_sheet(
    faces: Sequence[SavedFace], *, columns: int | None = None, cell: int = 128, language: str = "en"
) -> NDArray[np.uint8]:
    """Return one picture of saved faces with their emotions, RGB uint8 (height, width, 3).

    Pictures that were deleted or damaged since are left out. `columns`, `cell` and `language` are those of
    `mien.render.face_sheet`.

    Raises:
        OptionError: there is no face that can be shown, or more than `MOST`.
    """
    if len(faces) > MOST:
        raise OptionError(f"a sheet shows at most {MOST} faces, not {len(faces)}; choose fewer")
    if not faces:
        raise OptionError("there are no saved faces to show")
    return face_sheet(_pictures(faces), columns=columns, cell=cell, language=language)


def _pictures(faces: Iterable[SavedFace]) -> Iterator[tuple[NDArray[np.uint8], ImageAnalysis]]:
    for saved in faces:
        try:
            pixels = images.load(saved.path)
        except ImageError:
            continue
        height, width = pixels.shape[:2]
        face = shown_face(saved, width, height)
        model = ModelReference("gallery", "-")
        yield (
            pixels,
            ImageAnalysis((face,), width, height, model, "given", "-", 0.0, f"{saved.saved:%Y-%m-%d %H:%M}"),
        )


def shown_face(saved: SavedFace, width: int, height: int) -> Face:
    """Return a saved face as its folder names it, in a picture of `width` × `height` pixels."""
    known = saved.face
    box = None if known is None else known.box.clipped(width, height)
    if known is not None and box is not None and known.emotion == saved.emotion:
        return replace(known, box=box)
    # Without the index, or moved by hand: what the names say.
    sure = saved.confidence if known is None and saved.emotion is not None else 1.0
    scores = Scores(_spread(saved.emotion or "-", max(sure, 0.01)))
    return Face(box or Box(0, 0, width, height), scores, saved.emotion, Quality(min(width, height), 0.0, 0.0))


def _spread(label: str, sure: float) -> dict[str, float]:
    """Give `label` its share, and the rest to so many nameless ones that it stays on top."""
    if sure >= 1:
        return {label: 1.0}
    others = math.ceil((1 - sure) / sure) + 1
    return {label: sure} | {f"({number})": (1 - sure) / others for number in range(others)}

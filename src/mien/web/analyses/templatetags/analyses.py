"""What the templates of the room need beside Mien's own tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mien.web.analyses.models import AnalysedFace, Analysis

register = template.Library()

REASONS: dict[str, str | Promise] = {
    "small": _("the face is small"),
    "blurred": _("the face is blurred"),
    "dark": _("the face is dark"),
    "bright": _("the face is too bright"),
    "turned": _("the face is turned away"),
}


class Plate(NamedTuple):
    """Where the number of a face stands, in whole pixels of the picture: SVG takes no decimal comma."""

    x: int
    y: int
    size: int
    middle_x: int
    middle_y: int
    text: int


@register.filter
def reasons(names: Iterable[str]) -> str:
    """Return in words why a face is hard to read."""
    return ", ".join(str(REASONS.get(name, name)) for name in names)


@register.filter
def plate(face: AnalysedFace, analysis: Analysis) -> Plate:
    """Return the place of the face's number: above its box, or in it where the picture ends there."""
    size = max(1, max(analysis.width, analysis.height) // 24)
    x = min(max(face.x, 0), max(analysis.width - size, 0))
    y = face.y - size if face.y >= size else max(face.y, 0)
    return Plate(x, y, size, x + size // 2, y + size // 2, 7 * size // 10)


@register.inclusion_tag("analyses/parts/boxes.html")
def boxes(analysis: Analysis, faces: Iterable[AnalysedFace]) -> dict[str, Any]:
    """Draw the boxes of the faces, each a dark line under one in the colour of its emotion."""
    return {"analysis": analysis, "faces": faces}

"""Results drawn onto pictures: annotators, their style, and sheets of faces."""

from mien.core.colours import contrast
from mien.render.annotator import Annotator
from mien.render.sheet import face_sheet
from mien.render.style import Style

__all__ = ["Annotator", "Style", "contrast", "face_sheet"]

"""Colours and sizes: what makes an annotation legible on any picture.

Every line is a light colour with a dark edge. Each colour has a contrast of at least 9:1 with the edge,
so against a background of any brightness one of the two stands out with at least 3:1 (the root of 9).
Text is always dark on a plate of the same light colours. The colours stay apart for people with
protanopia, deuteranopia and tritanopia; colour never stands alone, the label says the same in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mien.core.colours import UNCERTAIN, Colour, emotion_colour
from mien.core.errors import OptionError


@dataclass(frozen=True, slots=True)
class Style:
    """How annotations look.

    Attributes:
        colours: RGB in [0, 255] for labels whose colour should differ from Mien's own.
        uncertain: RGB of a face without a stated emotion.
        scale: multiplies text and lines; 1 follows the size of picture and face.
        font: a TrueType or OpenType file, for labels in scripts that Mien's own font lacks
            (it has Latin with Vietnamese and Romanian, Greek and Cyrillic).
    """

    colours: Mapping[str, Colour] = field(default_factory=dict)
    uncertain: Colour = UNCERTAIN
    scale: float = 1.0
    font: str | Path | None = None

    def __post_init__(self) -> None:
        if not 0.1 <= self.scale <= 20:
            raise OptionError(f"scale has to be between 0.1 and 20, not {self.scale!r}")
        for colour in (self.uncertain, *self.colours.values()):
            if len(colour) != 3 or not all(isinstance(v, int) and 0 <= v <= 255 for v in colour):
                raise OptionError(f"a colour has to be three whole numbers in [0, 255], not {colour!r}")

    def colour(self, label: str | None) -> Colour:
        """Return the RGB colour of `label`; None, an uncertain face, has its own."""
        if label is None:
            return self.uncertain
        return self.colours.get(label) or emotion_colour(label)

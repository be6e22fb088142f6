"""Colours and sizes: what makes an annotation legible on any picture.

Every line is a light colour with a dark edge. Each colour has a contrast of at least 9:1 with the edge,
so against a background of any brightness one of the two stands out with at least 3:1 (the root of 9).
Text is always dark on a plate of the same light colours. The colours stay apart for people with
protanopia, deuteranopia and tritanopia; colour never stands alone, the label says the same in words.
"""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mien.core.emotions import Emotion
from mien.core.errors import OptionError

Colour = tuple[int, int, int]

INK: Colour = (0, 0, 0)
PAPER: Colour = (255, 255, 255)
UNCERTAIN: Colour = (176, 176, 176)

LEAST_CONTRAST = 9.0

COLOURS: Mapping[str, Colour] = {
    Emotion.ANGRY: (245, 143, 116),
    Emotion.DISGUST: (174, 254, 157),
    Emotion.FEAR: (208, 147, 251),
    Emotion.HAPPY: (245, 239, 89),
    Emotion.NEUTRAL: (255, 255, 255),
    Emotion.SAD: (134, 216, 254),
    Emotion.SURPRISE: (217, 167, 62),
    Emotion.CONTEMPT: (248, 144, 214),
}


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
        return self.colours.get(label) or COLOURS.get(label) or _made_up_colour(label)


def luminance(colour: Colour) -> float:
    """Return the relative luminance in [0, 1], as WCAG 2.2 defines it for sRGB."""
    linear = [_linear(value / 255) for value in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two RGB colours, from 1 (equal) to 21 (black and white); WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(colour: Colour) -> Colour:
    """Return black or white, whichever is easier to read on `colour`."""
    return max((INK, PAPER), key=lambda ink: contrast(ink, colour))


def _made_up_colour(label: str) -> Colour:
    """Return a colour that is the same for the same label on every machine, and light enough for INK."""
    hue = int.from_bytes(hashlib.sha256(label.encode("utf-8", "surrogatepass")).digest()[:2], "big") / 65536
    for saturation in (0.75, 0.6, 0.45, 0.3, 0.15):
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
        colour = (round(255 * red), round(255 * green), round(255 * blue))
        if contrast(colour, INK) >= LEAST_CONTRAST:
            break
    return colour


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

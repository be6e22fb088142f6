"""The colour of every emotion, the same in annotated pictures and in figures, and how colours compare.

Each colour has a contrast of at least 9:1 with black. The colours stay apart for people with protanopia,
deuteranopia and tritanopia.
"""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Mapping

from mien.core.emotions import Emotion

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


def emotion_colour(label: str | None) -> Colour:
    """Return the RGB colour of `label`; None, an uncertain face, has its own."""
    return UNCERTAIN if label is None else COLOURS.get(label) or _made_up_colour(label)


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

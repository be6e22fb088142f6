"""Colours: legible on anything, apart for everyone, the same everywhere."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.core.colours import INK, LEAST_CONTRAST, UNCERTAIN
from mien.core.emotions import Emotion
from mien.core.errors import OptionError
from mien.render import Style, contrast

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)


def cielab(colour: tuple[int, int, int], sight: str) -> NDArray[np.float64]:
    srgb = np.array(colour) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(XYZ @ np.clip(SIGHT[sight] @ linear, 0, 1) / np.array([0.95047, 1, 1.08883]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


COLOURS = {str(emotion): Style().colour(emotion) for emotion in Emotion} | {"uncertain": UNCERTAIN}


@given(st.text(min_size=1) | st.sampled_from([*COLOURS]))
def test_every_colour_stands_out_on_any_background(label: str) -> None:
    colour = Style().colour(label)
    assert contrast(colour, INK) >= LEAST_CONTRAST
    for grey in range(256):
        background = (grey, grey, grey)
        assert max(contrast(colour, background), contrast(INK, background)) >= 2.99


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_stay_apart_for_every_kind_of_sight(sight: str) -> None:
    for (one, a), (other, b) in itertools.combinations(COLOURS.items(), 2):
        distance = np.linalg.norm(cielab(a, sight) - cielab(b, sight))
        assert distance >= 12, f"{one} and {other} look alike ({distance:.1f})"


def test_a_label_of_ones_own_has_one_colour_on_every_machine() -> None:
    assert Style().colour("bored") != Style().colour("confused")
    assert Style(colours={"bored": (1, 2, 3)}).colour("bored") == (1, 2, 3)
    assert Style(colours={"happy": (1, 2, 3)}).colour("happy") == (1, 2, 3)


@pytest.mark.parametrize(
    "wrong",
    [{"scale": 0}, {"scale": float("nan")}, {"uncertain": (1, 2)}, {"colours": {"happy": (0, 0, 256)}}],
)
def test_wrong_styles_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Style(**wrong)  # type: ignore[arg-type]


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)

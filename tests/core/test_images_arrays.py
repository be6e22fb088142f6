"""Arrays of every allowed kind, and clear errors for the others."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mien.core import images
from mien.core.errors import ImageError, ImageLimitError, OptionError

sides = st.integers(1, 12)
pictures = st.tuples(sides, sides).flatmap(lambda size: npst.arrays(np.uint8, (*size, 3)))


@given(pictures)
def test_rgb_passes_as_it_is_and_bgr_is_turned_round(picture: Any) -> None:
    assert np.array_equal(images.load(picture), picture)
    assert np.array_equal(images.load(picture[..., ::-1], color="bgr"), picture)
    assert images.load(picture[..., ::-1], color="bgr").flags.c_contiguous


@given(pictures)
def test_views_become_contiguous(picture: Any) -> None:
    for view in (picture[::2, ::-1], np.asfortranarray(picture), picture.transpose(1, 0, 2)):
        loaded = images.load(view)
        assert loaded.flags.c_contiguous
        assert np.array_equal(loaded, view)


@given(pictures)
def test_grey_with_or_without_its_axis_becomes_three_channels(picture: Any) -> None:
    gray = picture[..., 0]
    expected = np.dstack([gray] * 3)

    for array in (gray, gray[..., np.newaxis]):
        assert np.array_equal(images.load(array, color="gray"), expected)
        assert np.array_equal(images.load(array), expected)


@given(npst.arrays(np.uint16, (3, 4, 3)), st.sampled_from(["<u2", ">u2"]))
def test_sixteen_bits_are_scaled_to_the_nearest(picture: Any, order: str) -> None:
    loaded = images.load(picture.astype(order))

    assert np.abs(loaded.astype(float) - picture / 257).max() <= 0.5 + 1e-9


@given(npst.arrays(np.int16, (3, 4), elements=st.integers(0, 32_767)))
def test_signed_sixteen_bits_are_scaled_from_their_half(picture: Any) -> None:
    loaded = images.load(picture)[..., 0]

    assert np.abs(loaded.astype(float) - picture * (255 / 32_767)).max() <= 0.5 + 1e-9


@given(npst.arrays(np.float64, (3, 4, 3), elements=st.floats(0, 1)), st.sampled_from("efd"))
def test_floats_are_scaled_from_zero_to_one(picture: Any, kind: str) -> None:
    picture = picture.astype(kind)

    assert np.abs(images.load(picture).astype(float) - picture.astype(float) * 255).max() <= 0.5 + 1e-3


def test_alpha_lies_over_white_in_either_order() -> None:
    rgba = np.array([[(255, 0, 0, 255), (255, 0, 0, 0)]], np.uint8)

    assert images.load(rgba).tolist() == [[[255, 0, 0], [255, 255, 255]]]
    assert images.load(rgba[..., [2, 1, 0, 3]], color="bgr").tolist() == [[[255, 0, 0], [255, 255, 255]]]


@given(npst.arrays(np.uint8, (5, 6, 4)))
def test_alpha_is_laid_over_white_to_the_nearest(rgba: Any) -> None:
    share = rgba[..., 3:] / 255

    expected = rgba[..., :3] * share + 255 * (1 - share)
    assert np.abs(images.load(rgba) - expected).max() <= 0.5 + 1e-9


def test_a_large_picture_with_alpha_is_laid_over_white_everywhere() -> None:
    rgba = np.zeros((1500, 1500, 4), np.uint8)

    assert images.load(rgba).min() == 255


@pytest.mark.parametrize(
    ("array", "color", "message"),
    [
        (np.zeros((4, 4, 2), np.uint8), "rgb", r"needs shape .* not \(4, 4, 2\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), "rgb", r"not \(1, 4, 4, 3\)"),
        (np.zeros(16, np.uint8), "rgb", r"not \(16,\)"),
        (np.array(5, np.uint8), "rgb", r"not \(\)"),
        (np.zeros((4, 4, 3), np.uint8), "gray", r"color 'gray' needs shape \(height, width\), not"),
        (np.zeros((0, 4, 3), np.uint8), "rgb", "4×0 pixels; it needs at least one"),
        (np.zeros((4, 0), np.uint8), "gray", "0×4 pixels; it needs at least one"),
        (np.full((4, 4, 3), np.nan), "rgb", "NaN or infinity"),
        (np.full((4, 4, 3), np.inf), "rgb", "NaN or infinity"),
        (np.full((4, 4, 3), 255.0), "rgb", "run from 255 to 255"),
        (np.full((4, 4, 3), -0.5), "rgb", "run from -0.5"),
        (np.full((4, 4, 3), -5, np.int16), "rgb", "one is -5"),
        (np.zeros((4, 4, 3), np.int64), "rgb", "pixels are int64; give uint8"),
        (np.zeros((4, 4, 3), np.int8), "rgb", "pixels are int8"),
        (np.zeros((4, 4, 3), bool), "rgb", "pixels are bool"),
        (np.zeros((4, 4, 3), complex), "rgb", "pixels are complex128"),
        (np.full((4, 4, 3), None), "rgb", "pixels are object"),
        (np.full((4, 4, 3), "a"), "rgb", "pixels are <U1"),
    ],
)
def test_another_array_is_one_clear_error(array: Any, color: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        images.load(array, color=color)


def test_a_single_nan_is_found() -> None:
    picture = np.zeros((4, 4, 3), np.float32)
    picture[2, 1, 1] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        images.load(picture)


def test_an_array_over_the_limit_is_refused() -> None:
    with pytest.raises(ImageLimitError, match=r"the array is 11×10 pixels, more than the allowed 100"):
        images.load(np.zeros((10, 11, 3), np.uint8), max_pixels=100)


@pytest.mark.parametrize("color", ["RGB", "grey", "", None, 3, ["rgb"]])
def test_an_unknown_color_names_the_choices(color: Any) -> None:
    with pytest.raises(OptionError, match="choose one of rgb, bgr, gray"):
        images.load(np.zeros((4, 4, 3), np.uint8), color=color)


@pytest.mark.parametrize("source", [None, 5, [1, 2], [[[0, 0, 0]]], object(), {"path": "a.jpg"}])
def test_another_kind_of_source_is_named(source: Any) -> None:
    with pytest.raises(OptionError, match=f"cannot come from {type(source).__name__}; give a path"):
        images.load(source)

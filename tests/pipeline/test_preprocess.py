from __future__ import annotations

import numpy as np
import pytest

from mien.core.errors import OptionError
from mien.pipeline.preprocess import before_after, clahe, edges, median, preprocess


def test_clahe_lifts_faint_contrast() -> None:
    faint = (np.indices((48, 48)).sum(axis=0) % 8 + 100).astype(np.uint8)
    assert clahe(faint).std() > 1.5 * faint.std()
    assert clahe(faint).shape == faint.shape


def test_clahe_keeps_the_colours_of_a_crop() -> None:
    red = np.zeros((48, 48, 3), np.uint8)
    red[..., 0] = np.arange(48) * 2 + 60
    lifted = clahe(red).astype(int)
    assert lifted.shape == red.shape
    assert (lifted[..., 0] > lifted[..., 1] + 30).all()


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3)])
def test_median_removes_speckle_and_keeps_edges(shape: tuple[int, ...]) -> None:
    step = np.full(shape, 50, np.uint8)
    step[:, 24:] = 200
    speckled = step.copy()
    speckled[5, 5], speckled[40, 40] = 255, 0
    np.testing.assert_array_equal(median(speckled, 3), step)


@pytest.mark.parametrize("size", [0, 2, -3])
def test_median_needs_an_odd_size(size: int) -> None:
    with pytest.raises(OptionError, match=str(size)):
        median(np.zeros((48, 48), np.uint8), size)


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3)])
def test_edges_outline_a_shape_in_black_and_white(shape: tuple[int, ...]) -> None:
    square = np.full(shape, 60, np.uint8)
    square[12:36, 12:36] = 180
    outline = edges(square)
    assert outline.shape == (48, 48)
    assert set(np.unique(outline)) == {0, 255}
    assert outline[20:28, 20:28].max() == 0
    assert outline[11:13, 20].max() == 255


def test_nothing_asked_changes_nothing() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    assert preprocess(crops) is crops
    empty = crops[:0]
    assert preprocess(empty, median_size=3, equalise=True).shape == (0, 48, 48)


def test_the_median_comes_before_clahe() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    both = preprocess(crops, median_size=5, equalise=True)
    np.testing.assert_array_equal(both, [clahe(median(crop, 5)) for crop in crops])


@pytest.mark.parametrize("shape", [(2, 48, 48), (2, 40, 40, 3)])
def test_before_and_after_stand_side_by_side(shape: tuple[int, ...]) -> None:
    crops = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    shown = before_after(crops, median_size=3, equalise=True, side=96)
    assert (shown.shape, shown.dtype) == ((2 * 96, 3 * 96, 3), np.uint8)
    filtered = preprocess(crops, median_size=3, equalise=True)
    scale = 96 // shape[1]
    if 96 % shape[1] == 0:
        colour = [slice(None)] * 2 + [0]
        np.testing.assert_array_equal(shown[:96:scale, :96:scale][tuple(colour)], crops[0])
        np.testing.assert_array_equal(shown[96::scale, 96:192:scale][tuple(colour)], filtered[1])
        np.testing.assert_array_equal(shown[96::scale, 192::scale][tuple(colour)], edges(filtered[1]))


def test_before_and_after_need_a_face() -> None:
    with pytest.raises(OptionError, match="one crop or more"):
        before_after(np.empty((0, 48, 48), np.uint8))

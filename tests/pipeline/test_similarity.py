from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core.geometry import FER2013_TEMPLATE
from mien.pipeline.similarity import apply_matrix, fit_similarity, invert_matrix

TEMPLATE = np.array(FER2013_TEMPLATE)


def similarity(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return np.array([[c, -s, x], [s, c, y]])


similarities = st.builds(
    similarity,
    st.floats(0.05, 40),
    st.floats(-180, 180),
    st.floats(-5000, 5000),
    st.floats(-5000, 5000),
)


@given(similarities, st.booleans())
def test_a_known_similarity_is_recovered(matrix: np.ndarray, robust: bool) -> None:
    fitted = fit_similarity(TEMPLATE, apply_matrix(matrix, TEMPLATE), robust=robust)
    assert fitted is not None
    np.testing.assert_allclose(fitted, matrix, rtol=1e-6, atol=1e-5)


@given(similarities)
def test_the_inverse_is_the_way_back(matrix: np.ndarray) -> None:
    there = apply_matrix(matrix, TEMPLATE)
    np.testing.assert_allclose(apply_matrix(invert_matrix(matrix), there), TEMPLATE, atol=1e-4)


@given(similarities, st.integers(0, 4), st.floats(-180, 180))
def test_one_misplaced_landmark_moves_the_robust_fit_less(
    matrix: np.ndarray, wrong: int, direction: float
) -> None:
    exact = apply_matrix(matrix, TEMPLATE)
    moved = TEMPLATE.copy()
    moved[wrong] += 8 * np.array([math.cos(math.radians(direction)), math.sin(math.radians(direction))])

    def miss(robust: bool) -> float:
        fitted = fit_similarity(apply_matrix(matrix, moved), TEMPLATE, robust=robust)
        assert fitted is not None
        return float(np.abs(apply_matrix(fitted, exact) - TEMPLATE).mean())

    assert miss(robust=True) < miss(robust=False)


def test_mirrored_points_are_fitted_without_mirroring() -> None:
    mirrored = TEMPLATE * (-1, 1)
    fitted = fit_similarity(mirrored, TEMPLATE)
    assert fitted is not None
    assert np.linalg.det(fitted[:, :2]) > 0


def test_a_pair_without_weight_does_not_count() -> None:
    moved = TEMPLATE.copy()
    moved[2] += 100
    fitted = fit_similarity(moved, TEMPLATE, weights=np.array([1.0, 1, 0, 1, 1]))
    assert fitted is not None
    np.testing.assert_allclose(fitted, [[1, 0, 0], [0, 1, 0]], atol=1e-9)


@pytest.mark.parametrize("robust", [False, True])
def test_points_in_one_place_have_no_similarity(robust: bool) -> None:
    assert fit_similarity(np.full((5, 2), 7.0), TEMPLATE, robust=robust) is None

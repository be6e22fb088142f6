"""Rotation, scale and shift between two sets of points."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 5  # of reweighting; more changes nothing a crop could show

Matrix: TypeAlias = NDArray[np.float64]
"""float64 (2, 3): maps (x, y, 1) to (x, y), pixel centres at whole numbers."""


def fit_similarity(
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    *,
    weights: NDArray[np.float64] | None = None,
    robust: bool = False,
) -> Matrix | None:
    """Return the rotation, scale and shift that bring `source` nearest to `target`, or None.

    Least squares as in Umeyama: Least-Squares Estimation of Transformation Parameters Between Two Point
    Patterns (IEEE PAMI 13, 1991), in two dimensions, where it is one complex division and cannot mirror.

    Args:
        source: float64 (n, 2).
        target: float64 (n, 2).
        weights: float64 (n,), how much each pair counts; equal where None.
        robust: weigh pairs down as they fit worse (Cauchy weights), so that one misplaced landmark or
            an open mouth does not drag the others along.

    Returns:
        float64 (2, 3), or None where the source points lie in one place.
    """
    p, q = _as_complex(source), _as_complex(target)
    base = np.ones(len(p)) if weights is None else weights
    fitted = _least_squares(p, q, base)
    if fitted is None:
        return None
    for _ in range(_ROUNDS if robust else 0):
        distance = np.abs(fitted[0] * p + fitted[1] - q)
        scale = max(float(np.median(distance)), 1e-6)
        fitted = _least_squares(p, q, base / (1 + (distance / (2 * scale)) ** 2)) or fitted
    turn, shift = fitted
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _as_complex(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)


def _least_squares(
    p: NDArray[np.complex128], q: NDArray[np.complex128], weights: NDArray[np.float64]
) -> tuple[complex, complex] | None:
    weights = weights / weights.sum()
    p_mean, q_mean = (weights * p).sum(), (weights * q).sum()
    spread = float((weights * np.abs(p - p_mean) ** 2).sum())
    if not spread > 1e-9:
        return None
    turn = complex((weights * (p - p_mean).conj() * (q - q_mean)).sum() / spread)
    if not abs(turn) > 1e-9:
        return None
    return turn, complex(q_mean - turn * p_mean)


def apply_matrix(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `points`, float64 (n, 2), moved by `matrix`, float64 (2, 3)."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float64)


def invert_matrix(matrix: Matrix) -> Matrix:
    """Return the way back."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])

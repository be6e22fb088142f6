"""Confidences that mean something: temperature, calibration error, and when to abstain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15


def fit_temperature(logits: NDArray[np.floating], true: NDArray[np.int64]) -> float:
    """Return the temperature with the least log-loss (Guo et al., ICML 2017), between 0.05 and 20.

    Args:
        logits: (faces, labels), of data that the network was not trained on.
        true: int64 (faces,).
    """
    rows = np.arange(len(true))

    def log_loss(log_temperature: float) -> float:
        scaled = np.asarray(logits, dtype=np.float64) / np.exp(log_temperature)
        return float(-log_softmax(scaled, axis=1)[rows, true].mean())

    found = minimize_scalar(log_loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def expected_calibration_error(
    probabilities: NDArray[np.floating], true: NDArray[np.int64], bins: int = BINS
) -> float:
    """Return the mean gap between confidence and accuracy over equally wide bins of confidence.

    Args:
        probabilities: (faces, labels), rows summing to 1.
        true: int64 (faces,).
        bins: how many bins [0, 1] is cut into (Naeini et al., AAAI 2015).
    """
    confidence = probabilities.max(1)
    right = (probabilities.argmax(1) == true).astype(np.float64)
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(true))


def choose_threshold(
    probabilities: NDArray[np.floating], true: NDArray[np.int64], wanted: float
) -> tuple[float, float]:
    """Return the least confidence at which answered faces are right at the `wanted` rate, and their share.

    Where no threshold reaches the rate, 1.0 and a share of 0 are returned: no face is answered.
    """
    confidence = probabilities.max(1)
    order = np.argsort(-confidence, kind="stable")
    right = probabilities.argmax(1)[order] == true[order]
    rate = np.cumsum(right) / np.arange(1, len(true) + 1)
    ranked = confidence[order]
    # A threshold answers every face of equal confidence, so only the last of a run of equals counts.
    last_of_equals = np.append(ranked[:-1] != ranked[1:], True)
    good = np.flatnonzero((rate >= wanted) & last_of_equals)
    if not len(good):
        return 1.0, 0.0
    answered = int(good[-1]) + 1
    return float(ranked[good[-1]]), answered / len(true)

"""Figures of a classifier, from predicted and true label indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point


def accuracy(predicted: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    """Return the share of faces whose predicted label is the true one."""
    return float((predicted == true).mean())


def wilson_interval(share: float, faces: int) -> tuple[float, float]:
    """Return the 95 % interval of a share seen on `faces` faces (Wilson, JASA 1927)."""
    square = Z_95**2
    centre = share + square / (2 * faces)
    spread = Z_95 * math.sqrt(share * (1 - share) / faces + square / (4 * faces**2))
    scale = 1 + square / faces
    # At the ends the bound is the share itself, which rounding would miss by the last digit.
    low = 0.0 if share == 0 else (centre - spread) / scale
    high = 1.0 if share == 1 else (centre + spread) / scale
    return low, high


def confusion_matrix(predicted: NDArray[np.int64], true: NDArray[np.int64], labels: int) -> NDArray[np.int64]:
    """Return counts (labels, labels): true labels as rows, predicted labels as columns."""
    return np.bincount(true * labels + predicted, minlength=labels * labels).reshape(labels, labels)


def rates(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Return a confusion matrix with each row summing to 1; the row of a label that never occurs is 0."""
    return np.asarray(confusion / np.maximum(confusion.sum(1, keepdims=True), 1), np.float64)


def precision_recall_f1(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Return precision, recall and F1 of every label, float64 (labels, 3).

    A label that is never predicted has precision 0; one that never occurs has recall 0.
    """
    hits = np.diag(confusion).astype(np.float64)
    predicted, occurring = confusion.sum(0), confusion.sum(1)
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(occurring, 1)
    f1 = 2 * hits / np.maximum(predicted + occurring, 1)
    return np.stack([precision, recall, f1], 1)


def macro_f1(confusion: NDArray[Any]) -> float:
    """Return the mean F1 over the labels that occur in the data."""
    return float(precision_recall_f1(confusion)[confusion.sum(1) > 0, 2].mean())


def balanced_accuracy(confusion: NDArray[Any]) -> float:
    """Return the mean recall over the labels that occur in the data."""
    return float(precision_recall_f1(confusion)[confusion.sum(1) > 0, 1].mean())


def top_accuracy(probabilities: NDArray[np.floating], true: NDArray[np.int64], top: int = 2) -> float:
    """Return the share of faces whose true label is among the `top` most probable ones.

    A label as probable as the true one counts as more probable only where it stands before it, as argmax
    has it.
    """
    own = probabilities[np.arange(len(true)), true][:, np.newaxis]
    before = np.arange(probabilities.shape[1]) < true[:, np.newaxis]
    ahead = (probabilities > own) | ((probabilities == own) & before)
    return float((ahead.sum(1) < top).mean())


def log_loss(probabilities: NDArray[np.floating], true: NDArray[np.int64]) -> float:
    """Return the mean of -ln(probability of the true label); 0 is perfect.

    A probability below the least positive float64 counts as that number, so that the result
    stays finite.
    """
    own = probabilities[np.arange(len(true)), true].astype(np.float64)
    return float(-np.log(np.maximum(own, np.finfo(np.float64).tiny)).mean())


def brier_score(probabilities: NDArray[np.floating], true: NDArray[np.int64]) -> float:
    """Return the mean squared distance from the certain true label, in [0, 2] (Brier 1950).

    This is the original score, summed over all labels; the two-label form is half of it.
    """
    wanted = np.eye(probabilities.shape[1])[true]
    return float(((probabilities - wanted) ** 2).sum(1).mean())


def bootstrap_interval(
    predicted: NDArray[np.int64], true: NDArray[np.int64], labels: int, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of the macro-F1 over faces drawn again with replacement (Efron 1979)."""
    generator = np.random.default_rng(seed)
    values = np.empty(rounds)
    for i in range(rounds):
        drawn = generator.integers(0, len(true), len(true))
        values[i] = macro_f1(confusion_matrix(predicted[drawn], true[drawn], labels))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)

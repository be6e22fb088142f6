"""Confidences that mean something: temperature, calibration error, and when to abstain."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from mien.pipeline.classify import softmax
from mien.zoo.card import Card

BINS = 15
ANSWERED_RIGHT = 0.80
"""The share of right answers, of those given, that the threshold of a card is chosen for."""
FEW_FACES = 200
"""Below this many faces to calibrate on, temperature and threshold are rough, which is said."""
_PRIOR_SPREAD = np.log(2.0)
_PRIOR_FACES = 10.0
CALIBRATED_ON = "calibrated_on"
"""In a card's `training`: how many faces temperature and threshold were fitted on."""


def fit_temperature(logits: NDArray[np.floating], true: NDArray[np.int64]) -> float:
    """Return the temperature that fits the faces (Guo et al., ICML 2017), between 0.05 and 20.

    It has the least log-loss, with a weak prior: before a face is seen, half or double of 1 is one standard
    deviation away. A dozen faces that are all read rightly would otherwise drive it to its limit; on
    thousands the prior moves it by less than a thousandth.

    Args:
        logits: (faces, labels), of data that the network was not trained on.
        true: int64 (faces,).
    """
    rows = np.arange(len(true))

    def loss(log_temperature: float) -> float:
        scaled = np.asarray(logits, dtype=np.float64) / np.exp(log_temperature)
        prior = (log_temperature / _PRIOR_SPREAD) ** 2 / 2
        return float((prior - log_softmax(scaled, axis=1)[rows, true].sum()) / max(len(true), 1))

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Confidence beside accuracy in equally wide bins of confidence; empty bins have 0 in both.

    Attributes:
        edges: float64 (bins + 1,), from 0 to 1.
        counts: int64 (bins,), faces in each bin.
        confidence, accuracy: float64 (bins,), means over the faces of each bin.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean gap between confidence and accuracy over all faces."""
        return float((np.abs(self.accuracy - self.confidence) * self.counts).sum() / self.counts.sum())


def reliability(
    probabilities: NDArray[np.floating], true: NDArray[np.int64], bins: int = BINS
) -> Reliability:
    """Return what a reliability diagram shows (Naeini et al., AAAI 2015; Guo et al., ICML 2017).

    Args:
        probabilities: (faces, labels), rows summing to 1.
        true: int64 (faces,).
        bins: how many bins [0, 1] is cut into.
    """
    confidence = probabilities.max(1)
    right = (probabilities.argmax(1) == true).astype(np.float64)
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)

    def means(values: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.bincount(place, weights=values, minlength=bins) / np.maximum(counts, 1)

    return Reliability(np.linspace(0, 1, bins + 1), counts, means(confidence), means(right))


def expected_calibration_error(
    probabilities: NDArray[np.floating], true: NDArray[np.int64], bins: int = BINS
) -> float:
    """Return the mean gap between confidence and accuracy over equally wide bins of confidence.

    Args:
        probabilities: (faces, labels), rows summing to 1.
        true: int64 (faces,).
        bins: how many bins [0, 1] is cut into (Naeini et al., AAAI 2015).
    """
    return reliability(probabilities, true, bins).error


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """What abstaining brings: at each threshold, the share of faces answered and how many are wrong.

    Attributes:
        thresholds: float64 (points,), falling: the confidences that occur.
        coverage: float64 (points,), share of faces at or above each threshold; rises to 1.
        accuracy: float64 (points,), share of right answers among them.
    """

    thresholds: NDArray[np.float64]
    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def risk(self) -> NDArray[np.float64]:
        """The share of wrong answers among those answered, float64 (points,)."""
        return np.asarray(1 - self.accuracy, np.float64)

    @property
    def area(self) -> float:
        """The mean risk over all coverages (AURC; Geifman and El-Yaniv, NeurIPS 2017); less is better."""
        return float((np.diff(self.coverage, prepend=0.0) * self.risk).sum())


def risk_coverage(probabilities: NDArray[np.floating], true: NDArray[np.int64]) -> RiskCoverage:
    """Return risk and coverage at every confidence that occurs; equal confidences are answered together."""
    confidence = probabilities.max(1)
    order = np.argsort(-confidence, kind="stable")
    right = probabilities.argmax(1)[order] == true[order]
    ranked = np.asarray(confidence[order], np.float64)
    last_of_equals = np.flatnonzero(np.append(ranked[:-1] != ranked[1:], True))
    answered = last_of_equals + 1
    return RiskCoverage(
        ranked[last_of_equals], answered / len(true), np.cumsum(right)[last_of_equals] / answered
    )


def choose_threshold(
    probabilities: NDArray[np.floating], true: NDArray[np.int64], wanted: float, prior: float = 0.0
) -> tuple[float, float]:
    """Return the least confidence at which answered faces are right at the `wanted` rate, and their share.

    Where no threshold reaches the rate, 1.0 and a share of 0 are returned: no face is answered. Where the
    faces leave a gap around the rate itself, it is the threshold: a confidence that promises the rate is
    answered, though all of a dozen faces had still higher ones.

    Args:
        probabilities: (faces, labels), rows summing to 1.
        true: int64 (faces,).
        wanted: the rate, in [0, 1].
        prior: count as many faces more at every threshold, right as often as the confidences of those that
            are answered say; without them two or three faces decide where there are few.
    """
    curve = risk_coverage(probabilities, true)
    answered = curve.coverage * len(true)
    ranked = -np.sort(-probabilities.max(1))
    confidence = np.cumsum(ranked)[np.rint(answered).astype(np.int64) - 1] / answered
    expected = (curve.accuracy * answered + prior * confidence) / (answered + prior)
    good = np.flatnonzero(expected >= wanted)
    if not len(good):
        return 1.0, 0.0
    place = good[-1]
    threshold = float(curve.thresholds[place])
    below = float(curve.thresholds[place + 1]) if place + 1 < len(curve.thresholds) else 0.0
    if below < wanted < threshold:
        threshold = wanted
    return threshold, float(curve.coverage[place])


def calibrated(card: Card, logits: NDArray[np.float64], true: NDArray[np.int64]) -> Card:
    """Return the card with the temperature and the threshold that fit faces it was not trained on.

    How many they were is kept in its `training`.

    Args:
        card: of the model.
        logits: float64 (faces, labels).
        true: int64 (faces,), indices into the card's labels.
    """
    temperature = fit_temperature(logits, true)
    threshold, _ = choose_threshold(softmax(logits, temperature), true, ANSWERED_RIGHT, _PRIOR_FACES)
    training = {**card.training, CALIBRATED_ON: len(true)}
    return replace(card, temperature=round(temperature, 4), threshold=round(threshold, 4), training=training)


def doubts(card: Card) -> tuple[str, ...]:
    """Return what makes a card's confidences doubtful, in words: few faces, or no threshold that helps."""
    faces = card.training.get(CALIBRATED_ON, card.training.get("validation_faces"))
    said = []
    if isinstance(faces, int) and faces < FEW_FACES:
        said.append(f"calibrated on {faces} faces only: confidences and threshold are rough")
    if card.threshold >= 1:
        said.append(
            f"no threshold makes {ANSWERED_RIGHT:.0%} of the answers right: every face reads as uncertain"
        )
    return tuple(said)

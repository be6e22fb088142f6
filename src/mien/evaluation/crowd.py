"""How a model agrees with what a crowd saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluation import metrics
from mien.evaluation.evaluate import Evaluation

WEIGHTS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement with the label that more than half of a face's voters chose.

    Attributes:
        faces: of how many faces more than half of all votes went to one of the model's labels.
        share, low, high: of these, the share that the model reads like the crowd; Wilson 95 % interval.
        label_share, label_low, label_high: the share whose own label is the crowd's, to compare with.
        along: of the same faces, the share that the model reads like the top of label and votes mixed, by
            the votes' weight in the mixture: 0 is the data set's label alone, 1 the votes alone.
    """

    faces: int
    share: float
    low: float
    high: float
    label_share: float
    label_low: float
    label_high: float
    along: dict[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return asdict(self)


def agreement(evaluation: Evaluation, votes: Mapping[str, Mapping[str, int]]) -> Agreement | None:
    """Return how a model agrees with a crowd's majority, None where no face has one.

    Args:
        evaluation: of the model.
        votes: `{file name: {label: votes}}`, as `mien.datasets.read_votes` gives; votes for labels that
            the model does not know count towards the total that has to be exceeded by half.
    """
    majority = np.array([_majority(votes.get(name, {}), evaluation.labels) for name in evaluation.names])
    clear = majority >= 0
    if not (faces := int(clear.sum())):
        return None
    share = metrics.accuracy(evaluation.predicted[clear], majority[clear])
    label_share = metrics.accuracy(evaluation.true[clear], majority[clear])
    return Agreement(
        faces,
        share,
        *metrics.wilson_interval(share, faces),
        label_share,
        *metrics.wilson_interval(label_share, faces),
        _along(evaluation, votes, clear),
    )


def _along(
    evaluation: Evaluation, votes: Mapping[str, Mapping[str, int]], clear: NDArray[np.bool_]
) -> dict[float, float]:
    """Return how many of the clear faces are read like the top of each mixture."""
    chosen = np.flatnonzero(clear)
    cast = [votes[evaluation.names[i]] for i in chosen]
    crowd = np.array([[one.get(label, 0) / sum(one.values()) for label in evaluation.labels] for one in cast])
    own = np.eye(len(evaluation.labels))[evaluation.true[chosen]]
    tops = {weight: ((1 - weight) * own + weight * crowd).argmax(1) for weight in WEIGHTS}
    predicted = evaluation.predicted[chosen]
    return {weight: metrics.accuracy(predicted, top) for weight, top in tops.items()}


def _majority(votes: Mapping[str, int], labels: tuple[str, ...]) -> int:
    """Return the index of the label with more than half of all votes, or -1."""
    half = sum(votes.values()) / 2
    return next((i for i, label in enumerate(labels) if votes.get(label, 0) > half), -1)

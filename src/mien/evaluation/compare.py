"""Is one model better than another on the same faces, or is it chance?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mien.core.errors import DatasetError
from mien.evaluation.evaluate import Evaluation

EXACT_BELOW = 25


@dataclass(frozen=True, slots=True)
class Comparison:
    """McNemar's test between two models on the same faces (Psychometrika 1947).

    Attributes:
        both_right, only_first, only_second, both_wrong: faces; the middle two decide.
        p_value: how likely so uneven a split would be between two equally good models.
        method: "exact binomial" below 25 faces in the middle, else "chi-square with continuity correction".
    """

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float
    method: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return asdict(self)


def compare(first: Evaluation, second: Evaluation) -> Comparison:
    """Return McNemar's test between two evaluations of the same faces in the same order.

    Raises:
        DatasetError: the evaluations are of different faces.
    """
    if first.names != second.names:
        raise DatasetError("two models can be compared on the same faces only; measure both on one data set")
    return mcnemar(first.right, second.right)


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Comparison:
    """Return McNemar's test.

    The two-sided exact binomial test below 25 discordant faces, else the chi-square test with
    continuity correction (Edwards, Psychometrika 1948).

    Args:
        first: bool (faces,), which faces one model reads rightly.
        second: the same of the other model.
    """
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    discordant = only_first + only_second
    if discordant < EXACT_BELOW:
        method = "exact binomial"
        p_value = stats.binomtest(only_first, discordant).pvalue if discordant else 1.0
    else:
        method = "chi-square with continuity correction"
        # Equal halves would go below zero; they are no evidence at all.
        statistic = max(abs(only_first - only_second) - 1, 0) ** 2 / discordant
        p_value = stats.chi2.sf(statistic, 1)
    return Comparison(
        int((first & second).sum()),
        only_first,
        only_second,
        int((~first & ~second).sum()),
        float(p_value),
        method,
    )

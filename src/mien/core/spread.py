"""Mean and deviation of repeated measurements."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over folds or repetitions.

    Attributes:
        mean: of the values.
        std: their sample standard deviation (divisor n - 1); None of one value, which says nothing of it.
    """

    mean: float
    std: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of one or more values."""
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)

    def to_dict(self) -> dict[str, float | None]:
        """Return `{"mean", "std"}`."""
        return {"mean": self.mean, "std": self.std}

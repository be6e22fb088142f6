"""Timing side by side: each figure is a ratio inside one run, the median of many, with its spread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

REPETITIONS = 20
WARM_UP = 3


@dataclass(frozen=True)
class Figure:
    """A measured figure and its limit; `low` and `high` are the quartiles over the repetitions."""

    name: str
    value: float
    low: float
    high: float
    limit: float
    at_least: bool
    unit: str
    repetitions: int
    detail: dict[str, Any]

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        sign, verdict = ("≥" if self.at_least else "≤"), ("ok  " if self.holds else "MISS")
        detail = ", ".join(
            f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in self.detail.items()
        )
        return (
            f"{verdict} {self.name}: {self.value:.3g} {self.unit} "
            f"(quartiles {self.low:.3g} to {self.high:.3g}, {self.repetitions} repetitions), "
            f"limit {sign} {self.limit:g}; {detail}"
        )

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


def alternate(
    *jobs: Callable[[], object], repetitions: int = REPETITIONS, warm_up: int = WARM_UP
) -> np.ndarray:
    """Run the jobs in turn and return their seconds, float (jobs, repetitions).

    Turns are taken within each repetition, so that a machine that speeds up or slows down does so for all.
    """
    for _ in range(warm_up):
        for job in jobs:
            job()
    seconds = np.empty((len(jobs), repetitions))
    for repetition in range(repetitions):
        for number, job in enumerate(jobs):
            start = time.perf_counter()
            job()
            seconds[number, repetition] = time.perf_counter() - start
    return seconds


def figure(
    name: str, values: np.ndarray, *, limit: float, at_least: bool = False, unit: str = "times", **detail: Any
) -> Figure:
    """Make a figure of one value a repetition: the median, with the quartiles as its spread."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return Figure(name, float(middle), float(low), float(high), limit, at_least, unit, len(values), detail)


def milliseconds(seconds: np.ndarray) -> float:
    """Return the median of `seconds` in milliseconds."""
    return float(np.median(seconds) * 1000)

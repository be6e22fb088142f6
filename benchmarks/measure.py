"""Timing side by side: each figure is a ratio inside one run, the median of many, with its spread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mien.evaluation.metrics import wilson_interval

_WILSON, _BOOTSTRAP = "95 % interval (Wilson)", "95 % interval (bootstrap)"
REPETITIONS = 20
WARM_UP = 3


@dataclass(frozen=True)
class Figure:
    """A measured figure and its limit; `spread` says what `low` and `high` are."""

    name: str
    value: float
    low: float
    high: float
    limit: float
    at_least: bool
    unit: str
    repetitions: int
    detail: dict[str, Any]
    spread: str = "quartiles"
    of: str = "repetitions"

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        sign, verdict = ("≥" if self.at_least else "≤"), ("ok  " if self.holds else "MISS")
        detail = ", ".join(
            f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in self.detail.items()
        )
        interval = f"{self.spread} {self.low:.3g} to {self.high:.3g}, " if self.low < self.high else ""
        said = (
            f"{verdict} {self.name}: {self.value:.3g} {self.unit}".rstrip()
            + f" ({interval}{self.repetitions} {self.of}), limit {sign} {self.limit:g}"
        )
        return f"{said}; {detail}" if detail else said

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


def share(name: str, hits: Sequence[bool], *, limit: float, at_least: bool, **detail: Any) -> Figure:
    """Make a figure of the share of faces that are as wanted, with its Wilson 95 % interval."""
    value = float(np.mean(hits)) if len(hits) else 0.0
    low, high = wilson_interval(value, max(1, len(hits)))
    return Figure(
        name, value, low, high, limit, at_least, "of the faces", len(hits), detail, _WILSON, "faces"
    )


def limited(name: str, found: Any, faces: int, *, limit: float, at_least: bool, **detail: Any) -> Figure:
    """Make a figure of a number, or of what has `value` or `share`, with its interval where it has one."""
    value = found if isinstance(found, float) else getattr(found, "value", None)
    value = float(found.share if value is None else value)
    low, high = (getattr(found, side, None) for side in ("low", "high"))
    return Figure(
        name,
        value,
        value if low is None else low,
        value if high is None else high,
        limit,
        at_least,
        "",
        faces,
        detail,
        "95 % interval",
        "faces",
    )


def quantile(name: str, values: Sequence[float], level: float, *, limit: float, **detail: Any) -> Figure:
    """Make a figure of a quantile over faces, with its interval from 1,000 bootstrap rounds."""
    given = np.asarray(values if len(values) else [np.inf])
    drawn = np.random.default_rng(0).choice(given, (1000, len(given)))
    low, high = np.quantile(np.quantile(drawn, level, axis=1), [0.025, 0.975])
    value = float(np.quantile(given, level))
    return Figure(
        name, value, float(low), float(high), limit, False, "", len(values), detail, _BOOTSTRAP, "faces"
    )


def milliseconds(seconds: np.ndarray) -> float:
    """Return the median of `seconds` in milliseconds."""
    return float(np.median(seconds) * 1000)

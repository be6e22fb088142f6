"""The trials of a search, as plain values and as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from mien.core.files import atomic_write
from mien.records import plain_text
from mien.training.search_space import Dimension

REASON = "reason"
"""The attribute of a trial in the study that says why it failed."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One trial.

    Attributes:
        number: from 1; its run is the folder `trial-<number>`.
        state: "complete", "pruned", "failed" or "stopped" (it goes on with the next search).
        value: the best validation figure of its epochs; None where there is none.
        epochs: how many were trained.
        options: the searched options by name.
        reason: why it failed, in words.
    """

    number: int
    state: str
    value: float | None
    epochs: int
    options: dict[str, Any]
    reason: str = ""


def read_results(study: Study, monitor: str, space: Sequence[Dimension]) -> tuple[TrialResult, ...]:
    """Return every trial of a study that was begun, by number."""
    trials = study.get_trials(deepcopy=False)
    return tuple(_result(trial, monitor, space) for trial in trials if trial.state != TrialState.WAITING)


def best_of(results: Sequence[TrialResult], monitor: str) -> TrialResult | None:
    """Return the complete trial with the best figure, the first of equals; None where none is complete."""
    sign = 1 if monitor == "accuracy" else -1
    complete = [result for result in results if result.state == "complete"]
    return max(complete, key=lambda result: sign * (result.value or 0.0), default=None)


def write_results(path: Path, results: Sequence[TrialResult], monitor: str, options: Sequence[str]) -> None:
    """Write a row a trial as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", f"validation_{monitor}", "epochs", *options, "reason"])
    for result in results:
        value = "" if result.value is None else result.value
        cells = [result.options.get(name, "") for name in options]
        writer.writerow(
            [result.number, result.state, value, result.epochs, *cells, plain_text(result.reason)]
        )
    atomic_write(path, text.getvalue())


def options_of(params: Mapping[str, Any], space: Sequence[Dimension]) -> dict[str, Any]:
    """Return the options that a trial is trained with: what was drawn, as people write it."""
    return {d.name: d.readable(params[d.name]) for d in space if d.name in params}


def _result(trial: FrozenTrial, monitor: str, space: Sequence[Dimension]) -> TrialResult:
    reason = str(trial.user_attrs.get(REASON, ""))
    values = list(trial.intermediate_values.values())
    best = (max if monitor == "accuracy" else min)(values) if values else None
    state = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "failed" if reason else "pruned"}
    return TrialResult(
        number=trial.number + 1,
        state=state.get(trial.state, "stopped"),
        value=best,
        epochs=len(values),
        options=options_of(trial.params, space),
        reason=reason,
    )

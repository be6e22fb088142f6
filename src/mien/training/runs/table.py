"""The record of experiments: runs in rows, repetitions with other seeds in one, runs side by side."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mien.core.errors import OptionError
from mien.core.spread import Spread
from mien.training.runs.command import taught_by
from mien.training.runs.recipe import recipe_of
from mien.training.runs.record import RunRecord


@dataclass(frozen=True, slots=True)
class Experiment:
    """Runs that differ in their seed alone.

    Attributes:
        runs: one or more, by seed.
    """

    runs: tuple[RunRecord, ...]

    @property
    def first(self) -> RunRecord:
        """The run that stands for the others."""
        return self.runs[0]

    @property
    def changed(self) -> str:
        """What was changed, and from which recipe."""
        return recipe_of(self.first.config).text()

    @property
    def state(self) -> str:
        """The state of all, or each state with how many runs have it."""
        states = [run.mark for run in self.runs]
        if len(set(states)) == 1:
            return states[0]
        return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))

    @property
    def validation(self) -> Spread | None:
        """Validation accuracy of the best epochs."""
        return _spread([run.best.validation_accuracy for run in self.runs if run.best is not None])

    def test(self, name: str = "accuracy") -> Spread | None:
        """A figure on the test faces."""
        return _spread([found.value for run in self.runs if (found := run.test(name)) is not None])

    @property
    def notes(self) -> str:
        """The decisions that were written down, each once."""
        return "; ".join(dict.fromkeys(run.note for run in self.runs if run.note))


def _spread(values: Sequence[float]) -> Spread | None:
    return Spread.of(values) if values else None


def experiments(runs: Sequence[RunRecord]) -> list[Experiment]:
    """Return runs that differ in their seed alone together, in the order of their first run.

    Runs with one seed are no repetitions of each other: they are folds, or other versions.
    """
    groups: dict[str, list[RunRecord]] = {}
    for run in runs:
        groups.setdefault(_key(run), []).append(run)
    found: list[Experiment] = []
    for group in groups.values():
        if len({run.config.seed for run in group}) == len(group):
            found.append(Experiment(tuple(sorted(group, key=lambda run: run.config.seed))))
        else:
            found += [Experiment((run,)) for run in group]
    return found


def _key(run: RunRecord) -> str:
    """Not the digest of the data: it is that of the training part, which the seed draws."""
    options = run.config.to_dict()
    del options["seed"]
    names = ("labels", "data", "faces", "validation_faces", "votes", "start", "teachers")
    facts = [run.facts.get(name) for name in names]
    return json.dumps([options, facts], sort_keys=True, default=str)


def to_csv(found: Sequence[Experiment]) -> str:
    """Return one row an experiment; accuracies are fractions, times seconds."""
    from mien.records import plain_text

    columns = (
        *("runs", "architecture", "recipe_and_changes", "state", "epochs", "planned_epochs"),
        *("validation_accuracy", "validation_deviation", "test_accuracy", "test_deviation", "test_faces"),
        *("parameters", "multiply_adds", "seconds", "note"),
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for experiment in found:
        run, validation, test = experiment.first, experiment.validation, experiment.test()
        cells = (
            *(" ".join(one.name for one in experiment.runs), run.config.architecture, experiment.changed),
            *(experiment.state, max(len(one.log) for one in experiment.runs), run.config.epochs),
            *(validation and validation.mean, validation and validation.std),
            *(test and test.mean, test and test.std, run.test_faces),
            *(run.size and run.size.parameters, run.size and run.size.multiply_adds),
            *(round(sum(one.seconds for one in experiment.runs), 1), experiment.notes),
        )
        writer.writerow([plain_text(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue()


def differences(runs: Sequence[RunRecord]) -> dict[str, list[Any]]:
    """Return what runs were given differently: options, data, labels, votes, start, teachers.

    By name, a value a run.

    Raises:
        OptionError: fewer than two runs.
    """
    if len(runs) < 2:
        raise OptionError("name two or more runs to compare")
    given = [_given(run) for run in runs]
    names = dict.fromkeys(name for values in given for name in values)
    rows = {name: [values.get(name) for values in given] for name in names}
    return {name: row for name, row in rows.items() if any(value != row[0] for value in row)}


def _given(run: RunRecord) -> dict[str, Any]:
    start = run.facts.get("start")
    return {
        "data": run.facts.get("data"),
        "labels": ", ".join(run.labels) or None,
        "votes": run.votes,
        "start": json.dumps(start, sort_keys=True)[:40] if start else None,
        "teachers": taught_by(run) or None,
        "mien": run.facts.get("mien"),
        "revision": run.facts.get("revision"),
        **run.config.to_dict(),
    }

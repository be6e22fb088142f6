"""What is trained, as a TOML file says it: runs, what they need first, and levers that are screened.

[common]                    # options of every run, by their names in the recipe
standardise = true

[screen]                    # every lever against the plain recipe, paired by seed
epochs = 30
seeds = [0, 1, 2]
[screen.levers.mixup]
mixup = 0.5

[[runs]]
name = "council"
folds = 5                   # a cross-validation; without it, a run
[[runs]]
name = "pupil"
levers = true               # with the levers that the screening kept
teachers = ["council"]
options = { epochs = 150 }
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.core.errors import OptionError
from mien.training.presets import resolve

PLAIN = "plain"
_KEYS = {"name", "folds", "levers", "teachers", "options"}


@dataclass(frozen=True, slots=True)
class Job:
    """One run, or one cross-validation.

    Attributes:
        name: of its folder.
        options: of the recipe.
        teachers: names of jobs that have to be done before.
        folds: of a cross-validation; 0 for a run.
        levers: whether it takes what the screening kept, and so waits for it.
        screens: the lever that it tries, `PLAIN` for none; None where it is no part of the screening.
    """

    name: str
    options: Mapping[str, Any]
    teachers: tuple[str, ...] = ()
    folds: int = 0
    levers: bool = False
    screens: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All jobs, the screening first, and the options behind each lever."""

    jobs: tuple[Job, ...]
    levers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_plan(file: Path, shorten: float = 1.0) -> Plan:
    """Return the jobs of a plan, every option checked.

    Args:
        file: TOML.
        shorten: what all epochs are multiplied by, for a trial.

    Raises:
        OptionError: the file is no plan, or an option does not exist or has a value that is none.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"the plan {str(file)!r} cannot be used: {error}") from error
    if unknown := content.keys() - {"common", "screen", "runs"}:
        raise OptionError(
            f"the plan has {', '.join(sorted(unknown))}; only common, screen and runs are known"
        )
    common = content.get("common", {})
    levers = content.get("screen", {}).get("levers", {})
    jobs = [
        *_screening(content.get("screen"), common),
        *(_job(table, common) for table in content.get("runs", ())),
    ]
    known = [job.name for job in jobs]
    if len(set(known)) < len(known) or not known:
        raise OptionError("a plan needs runs, each with a name of its own")
    for number, job in enumerate(jobs):
        if missing := [name for name in job.teachers if name not in known[:number]]:
            raise OptionError(f"{job.name} is taught by {missing[0]}, which is no run before it")
    return Plan(tuple(_checked(job, shorten) for job in jobs), levers)


def _screening(table: Mapping[str, Any] | None, common: Mapping[str, Any]) -> list[Job]:
    if not table:
        return []
    own = {name: value for name, value in table.items() if name not in ("levers", "seeds")}
    tried = {PLAIN: {}, **table.get("levers", {})}
    return [
        Job(f"screen-{lever}-{seed}", {**common, **own, **options, "seed": seed}, screens=lever)
        for seed in table.get("seeds", [0])
        for lever, options in tried.items()
    ]


def _job(table: Mapping[str, Any], common: Mapping[str, Any]) -> Job:
    if unknown := table.keys() - _KEYS:
        raise OptionError(
            f"a run of the plan has {', '.join(sorted(unknown))}; known are {', '.join(sorted(_KEYS))}"
        )
    return Job(
        str(table.get("name", "")),
        {**common, **table.get("options", {})},
        tuple(table.get("teachers", ())),
        int(table.get("folds", 0)),
        bool(table.get("levers", False)),
    )


def _checked(job: Job, shorten: float) -> Job:
    """Check the options now, not after hours, and shorten the epochs."""
    epochs = max(1, round(resolve(None, None, job.options).epochs * shorten))
    return Job(job.name, {**job.options, "epochs": epochs}, job.teachers, job.folds, job.levers, job.screens)

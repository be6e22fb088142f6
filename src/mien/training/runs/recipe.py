"""Which recipe a run follows, what it changes there, and the command that makes it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from mien.core.emotions import DEFAULT_LABELS
from mien.training.config import ONE_SIDE_ONLY, TrainingConfig, network_of
from mien.training.presets import FINE_TUNE, PRESET_LABELS, PRESETS
from mien.training.runs.record import RunRecord

# The network is named apart, and runs that differ in the seed alone are repetitions.
_APART = ("architecture", "seed")


@dataclass(frozen=True, slots=True)
class Recipe:
    """The recipe nearest to a run's options.

    Attributes:
        preset: its name, or None for Mien's recipe with another network.
        changes: the options with other values than the recipe's: the run's value and the recipe's.
    """

    preset: str | None
    changes: dict[str, tuple[Any, Any]]

    @property
    def name(self) -> str:
        """For a table: whose recipe it is."""
        if self.preset == FINE_TUNE:
            return FINE_TUNE
        return "Mien's" if self.preset in (None, "mien-base") else f"{self.preset}'s own"

    def text(self) -> str:
        """Return what a table says was changed, such as "r4's own; epochs 20"."""
        changed = ", ".join(f"{name} {_plain(value)}" for name, (value, _) in self.changes.items())
        return f"{self.name}; {changed}" if changed else self.name


def recipe_of(config: TrainingConfig) -> Recipe:
    """Return the recipe that a configuration changes least: the network's preset, or Mien's."""
    own = config.to_dict()
    bases = {
        name: values for name, values in PRESETS.items() if values.get("architecture") == own["architecture"]
    }
    # It names no network, and almost any fine-tuning resembles it: it counts only as it is.
    fine_tuned = _changes(own, {**PRESETS[FINE_TUNE], **network_of(config)})
    if fine_tuned.keys() <= {"epochs", "learning_rate"}:
        return Recipe(FINE_TUNE, fine_tuned)
    found = [Recipe(name, _changes(own, values)) for name, values in bases.items()]
    found.append(Recipe(None, _changes(own, {})))
    return min(found, key=lambda recipe: len(recipe.changes))


def command_of(run: RunRecord) -> str:
    """Return the command that makes a run again; what the folder does not know stands in capitals."""
    recipe = recipe_of(run.config)
    data = run.facts.get("data") or (run.card.training.get("data") if run.card else None)
    words = ["mien", "train", str(data or "DATA")]
    if run.votes:
        words += ["--votes", "VOTES.csv"]
    if test := _test_data(run):
        words += ["--test", test]
    words += ["--output", f"runs/{run.name}"]
    if recipe.preset not in (None, "mien-base"):
        words += ["--preset", str(recipe.preset)]
    elif run.config.architecture != TrainingConfig().architecture:
        words += ["--architecture", run.config.architecture]
    if run.labels and run.labels != PRESET_LABELS.get(recipe.preset or "", DEFAULT_LABELS):
        words += ["--labels", ",".join(run.labels)]
    if run.facts.get("start"):
        words += ["--from", run.facts["start"].get("model") or "START"]
    for name, (value, _) in recipe.changes.items():
        words += _option(name, value)
    if run.config.seed:
        words += _option("seed", run.config.seed)
    return shlex.join(words)


def _changes(own: dict[str, Any], values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    usual = {"small_fraction": 0.0} if own["architecture"] in ONE_SIDE_ONLY else {}
    base = TrainingConfig.from_dict({**usual, **values}).to_dict()
    return {
        name: (value, base[name]) for name, value in own.items() if value != base[name] and name not in _APART
    }


def _test_data(run: RunRecord) -> str | None:
    if run.metrics is not None:
        return str(run.metrics["data"])
    accuracy = run.card.metric("accuracy") if run.card else None
    return None if accuracy is None else accuracy.data.rpartition(" (")[0]


def _option(name: str, value: Any) -> list[str]:
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{dashed}" if value else f"--no-{dashed}"]
    return [f"--{dashed}", _plain(value)]


def _plain(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)

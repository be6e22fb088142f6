"""Which recipe a run follows, and what it changes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.training.config import ONE_SIDE_ONLY, TrainingConfig, network_of
from mien.training.presets import FINE_TUNE, PRESETS

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


def _changes(own: dict[str, Any], values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    usual = {"small_fraction": 0.0} if own["architecture"] in ONE_SIDE_ONLY else {}
    base = TrainingConfig.from_dict({**usual, **values}).to_dict()
    return {
        name: (value, base[name]) for name, value in own.items() if value != base[name] and name not in _APART
    }


def _plain(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)

"""The leaderboard: what was claimed for each network beside what its stored run measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import TrainingError
from mien.training.config import TrainingConfig
from mien.training.runs.command import command_of, start_of, taught_by
from mien.training.runs.read import find_runs
from mien.training.runs.recipe import recipe_of
from mien.training.runs.record import Measured, RunRecord
from mien.training.runs.times import duration

_FEW = 3  # changed options that a cell names


@dataclass(frozen=True, slots=True)
class Claim:
    """What a reference system says of itself.

    Attributes:
        accuracy: as it is claimed, in words.
        macro_f1: the same; empty where nothing is claimed.
        speed: the same.
        size: the same.
    """

    accuracy: str
    macro_f1: str = ""
    speed: str = ""
    size: str = ""


# R1 and R4 on the 7,178 images of FER2013's public and private test parts together; R2 and R3 do not say.
CLAIMS: dict[str, Claim] = {
    "r1": Claim("60.77 %", "0.545 (mean of the seven claimed F1)", "30 frames a second or more", "2.4 MB"),
    "r2": Claim("70 to 75 %", "", "under 50 ms a frame", "160 MB"),
    "r3": Claim("about 71 %", "", "50 ms", "85 MB"),
    "r4": Claim("65.4 %", "0.61"),
    "r5": Claim("none stated"),
}


def stored(folder: Path) -> list[RunRecord]:
    """Return the stored runs that were measured on test faces: by network, each network's best first.

    Raises:
        TrainingError: a folder there is no run, or is damaged.
    """
    runs, wrong = find_runs(folder)
    if wrong or any(run.problems for run in runs):
        said = [f"{path.name}: {why}" for path, why in wrong]
        said += [f"{run.name}: {'; '.join(run.problems)}" for run in runs if run.problems]
        raise TrainingError(f"not every stored run can be read: {' | '.join(said)}")
    return sorted((run for run in runs if run.test("accuracy")), key=_order)


def results_table(runs: Sequence[RunRecord]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of what was claimed and measured; a network without a run has a row too."""
    head = (
        *("network", "recipe", "claimed", "test accuracy", "95 % interval", "macro-F1", "faces, labels"),
        *("epochs", "batch"),
    )
    rows = [_result(run) for run in runs]
    absent = [network for network in CLAIMS if network not in {run.config.architecture for run in runs}]
    rows += [(f"`{n}`", "–", _claimed(n), "not trained here yet", *["–"] * 5) for n in absent]
    # By network, Mien's first; the rows of a network keep their order.
    return head, sorted(rows, key=lambda row: (row[0].strip("`") in CLAIMS, row[0]))


def cost_table(runs: Sequence[RunRecord]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of what each network costs."""
    head = (
        *("network", "recipe", "parameters", "multiply-adds", "ms a face", "size", "claimed", "training"),
        "seconds an epoch",
    )
    return head, [_cost(run) for run in runs]


def commands(runs: Sequence[RunRecord], folder: Path) -> list[str]:
    """Return for each run the command that makes it again, after that of the run its weights come from.

    Args:
        runs: that are told.
        folder: of stored runs, in which that run is looked for.

    Raises:
        TrainingError: there is no such folder.
    """
    kept, _ = find_runs(folder)
    found: list[str] = []
    for run in runs:
        stage = _first_stage(run, kept)
        if stage is None:
            found.append(command_of(run))
        else:
            found += [command_of(stage), command_of(run, start=f"runs/{stage.name}")]
    return found


def _first_stage(run: RunRecord, kept: Sequence[RunRecord]) -> RunRecord | None:
    """Return the stored run that a run's weights come from: the same recipe, kept at the same epoch.

    What it was given is taken to be what the second one was, where its own folder does not say.
    """
    start = run.facts.get("start")
    if not isinstance(start, Mapping) or not isinstance(start.get("recipe"), Mapping):
        return None
    for one in kept:
        # An older Mien knew fewer options.
        recipe = {**TrainingConfig().to_dict(), **start["recipe"]}
        if one.best and one.best.epoch == start.get("epoch") and one.config.to_dict() == recipe:
            given = {name: run.facts[name] for name in ("data", "labels", "votes") if name in run.facts}
            return replace(one, facts={"votes": run.votes, **given, **one.facts}, metrics=run.metrics)
    return None


def machines(runs: Sequence[RunRecord]) -> list[str]:
    """Return the machines that the speeds were measured on, each once."""
    return list(dict.fromkeys(str(run.cost["machine"]) for run in runs if run.cost and "machine" in run.cost))


def _order(run: RunRecord) -> tuple[bool, str, float]:
    """Mien's networks first, then the reference systems' in their order."""
    network, accuracy = run.config.architecture, run.test("accuracy")
    return network in CLAIMS, network, -(accuracy.value if accuracy else 0)


def _recipe(run: RunRecord) -> str:
    """Whose recipe, and what was changed besides what has a column of its own; the rest is in the run."""
    recipe = recipe_of(run.config)
    changed = [
        f"{n} {value}" for n, (value, _) in recipe.changes.items() if n not in ("epochs", "batch_size")
    ]
    words = [recipe.name, *(changed if len(changed) <= _FEW else [f"{len(changed)} other options"])]
    words += ["crowd votes"] if run.votes else []
    words += [f"from {start_of(run)}"] if run.facts.get("start") else []
    words += [f"taught by {taught_by(run)}"] if taught_by(run) else []
    return f"[{', '.join(words)}](runs/{run.name}/config.json)"


def _claimed(network: str) -> str:
    claim = CLAIMS.get(network)
    if claim is None:
        return "–"
    return "; ".join(filter(None, (claim.accuracy, f"F1 {claim.macro_f1}" if claim.macro_f1 else "")))


def _result(run: RunRecord) -> tuple[str, ...]:
    accuracy, f1 = run.test("accuracy") or Measured(0.0), run.test("macro_f1")
    labels = f"{len(run.labels)}" if run.labels == DEFAULT_LABELS else ", ".join(run.labels)
    return (
        f"`{run.config.architecture}`",
        _recipe(run),
        _claimed(run.config.architecture),
        f"**{accuracy.value * 100:.1f} %**",
        _interval(accuracy),
        "–" if f1 is None else f"{f1.value:.3f}",
        f"{run.test_faces or 0:,}; {labels}",
        f"{len(run.log)} of {run.config.epochs}",
        str(run.config.batch_size),
    )


def _interval(found: Measured) -> str:
    if found.low is None or found.high is None:
        return "–"
    return f"{found.low * 100:.1f} to {found.high * 100:.1f} %"


def _cost(run: RunRecord) -> tuple[str, ...]:
    cost, claim = run.cost or {}, CLAIMS.get(run.config.architecture)
    seconds = [log.seconds for log in run.log]
    return (
        f"`{run.config.architecture}`",
        _recipe(run),
        f"{run.size.parameters:,}" if run.size else "–",
        f"{run.size.multiply_adds / 1e6:.1f} M" if run.size else "–",
        f"{cost['milliseconds_per_face']:.2f}" if cost else "–",
        f"{cost['bytes'] / 1e6:.1f} MB" if cost else "–",
        ", ".join(filter(None, (claim.speed, claim.size))) or "–" if claim else "–",
        duration(sum(seconds)),
        f"{statistics.median(seconds):.0f}" if seconds else "–",
    )

"""The leaderboard: what was claimed for each network beside what its stored run measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import TrainingError
from mien.training.runs.recipe import command_of, recipe_of
from mien.training.runs.record import Measured, Run, find_runs


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


# On the 7,178 images of FER2013's public and private test parts together, where they say so.
CLAIMS: dict[str, Claim] = {
    "r1": Claim("60.77 %", "0.545 (mean of the seven claimed F1)", "30 frames a second or more", "2.4 MB"),
    "r2": Claim("70 to 75 %", "", "under 50 ms a frame", "160 MB"),
    "r3": Claim("about 71 %", "", "50 ms", "85 MB"),
    "r4": Claim("65.4 %", "0.61"),
    "r5": Claim("none stated"),
}


def stored(folder: Path) -> list[Run]:
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


def results_table(runs: Sequence[Run]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of what was measured."""
    head = (
        *("network", "recipe", "claimed", "test accuracy", "95 % interval", "macro-F1", "faces, labels"),
        *("epochs", "batch"),
    )
    return head, [_result(run) for run in runs]


def cost_table(runs: Sequence[Run]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of what each network costs."""
    head = (
        *("network", "recipe", "parameters", "multiply-adds", "ms a face", "size", "claimed", "training"),
        "seconds an epoch",
    )
    return head, [_cost(run) for run in runs]


def commands(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Return for each run its name and the command that makes it again."""
    return [(run.name, command_of(run)) for run in runs]


def machines(runs: Sequence[Run]) -> list[str]:
    """Return the machines that the speeds were measured on, each once."""
    return list(dict.fromkeys(str(run.cost["machine"]) for run in runs if run.cost and "machine" in run.cost))


def _order(run: Run) -> tuple[bool, str, float]:
    """Mien's networks first, then the reference systems' in their order."""
    network, accuracy = run.config.architecture, run.test("accuracy")
    return network in CLAIMS, network, -(accuracy.value if accuracy else 0)


def _recipe(run: Run) -> str:
    recipe = recipe_of(run.config)
    return f"[{recipe.name}](runs/{run.name}/config.json)" + (
        ", two stages" if run.facts.get("start") else ""
    )


def _result(run: Run) -> tuple[str, ...]:
    accuracy, f1 = run.test("accuracy") or Measured(0.0), run.test("macro_f1")
    claim = CLAIMS.get(run.config.architecture)
    labels = len(run.labels)
    few = "" if run.labels == DEFAULT_LABELS else f" ({', '.join(run.labels)})"
    said = [claim.accuracy, f"F1 {claim.macro_f1}" if claim.macro_f1 else ""] if claim else ["–"]
    return (
        f"`{run.config.architecture}`",
        _recipe(run),
        "; ".join(filter(None, said)),
        f"**{accuracy.value:.1%}**".replace("%", " %"),
        _interval(accuracy),
        "–" if f1 is None else f"{f1.value:.3f}",
        f"{run.test_faces:,}, {labels}{few}",
        f"{len(run.log)} of {run.config.epochs}",
        str(run.config.batch_size),
    )


def _interval(found: Measured) -> str:
    if found.low is None or found.high is None:
        return "–"
    return f"{found.low * 100:.1f} to {found.high * 100:.1f} %"


def _cost(run: Run) -> tuple[str, ...]:
    cost, claim = run.cost or {}, CLAIMS.get(run.config.architecture)
    seconds = sorted(log.seconds for log in run.log)
    return (
        f"`{run.config.architecture}`",
        _recipe(run),
        f"{run.size.parameters:,}" if run.size else "–",
        f"{run.size.multiply_adds / 1e6:.1f} M" if run.size else "–",
        f"{cost['milliseconds_per_face']:.2f}" if cost else "–",
        f"{cost['bytes'] / 1e6:.1f} MB" if cost else "–",
        ", ".join(filter(None, (claim.speed, claim.size))) or "–" if claim else "–",
        f"{sum(seconds) / 3600:.1f} h",
        f"{seconds[len(seconds) // 2]:.0f}" if seconds else "–",
    )

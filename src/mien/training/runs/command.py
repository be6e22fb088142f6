"""The command that makes a run again, and what its weights began as, in words."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.core.emotions import DEFAULT_LABELS
from mien.training.config import TrainingConfig
from mien.training.presets import PRESET_LABELS
from mien.training.runs.recipe import recipe_of
from mien.training.runs.record import RunRecord


def command_of(run: RunRecord, *, start: str | None = None) -> str:
    """Return the command that makes a run again, as one shows it to others.

    Data go by their names; what the folder does not know stands in capitals.

    Args:
        run: that is made again.
        start: the run or model that its weights come from, where that is known better than the folder does.
    """
    data = {"data": _data(run), "votes": "VOTES.csv", "test": _test_data(run), "start": start}
    return _command(run, {name: text for name, text in data.items() if text}, f"runs/{run.name}")


def command_here(run: RunRecord, here: Path) -> tuple[str, bool]:
    """Return the command to give in the folder `here`, and whether every path in it is known.

    A run that is not finished goes on in its folder; a finished one is made again in a folder beside it.
    Data whose place the run's folder does not tell go by their names.
    """
    goes_on = run.state not in ("finished", "running") and run.whole
    own = run.path.resolve()
    folder = own if goes_on else own.with_name(f"{own.name}-again")
    known = {name: _seen_from(here, Path(place)) for name, place in run.places.items()}
    data = {"data": _data(run), "votes": "VOTES.csv", "test": _test_data(run), **known}
    needed = {"data"} | ({"votes"} if run.votes else set()) | ({"test"} if data["test"] else set())
    if run.facts.get("start") and not {"init", "start"} & known.keys():
        needed |= {"start"} if _start_name(_start(run)) == "START" else set()
    names = {name: text for name, text in data.items() if text}
    if "TEACHER" in _teacher_names(run, names):
        needed |= {"teacher"}
    return _command(run, names, _seen_from(here, folder)), needed <= known.keys()


def start_of(run: RunRecord) -> str:
    """Return in words what the weights were that a run began with."""
    if not run.facts.get("start"):
        return "fresh weights"
    start = _start(run)
    if source := start.get("source"):
        names = start.get("names")
        whose = f", by {names}'s names" if names in ("torchvision", "timm") else ""
        return f"another program's weights ({source}{whose})"
    if model := start.get("model"):
        return f"the weights of {model}"
    return "an earlier run's weights" if "recipe" in start else "weights of a file"


def taught_by(run: RunRecord) -> str:
    """Return in words how many networks a run was taught by; nothing for none."""
    teachers = _teachers(run)
    networks = sum(len(t["folds"]) if isinstance(t.get("folds"), list) else 1 for t in teachers)
    fitted = sum("folds" in teacher for teacher in teachers)
    words = f"{networks} network{'s' * (networks > 1)}" if networks else ""
    return f"{words}, cross-fitted" if fitted and fitted == len(teachers) else words


def _teachers(run: RunRecord) -> list[Mapping[str, Any]]:
    """What is known of the teachers; nobody promises that the file says it in Mien's way."""
    said = run.facts.get("teachers")
    return [one for one in said if isinstance(one, Mapping)] if isinstance(said, list) else []


def _teacher_names(run: RunRecord, names: Mapping[str, str]) -> list[str]:
    """Where the teachers are, or the name of a model; capitals for one that is not known."""
    found = []
    for number, teacher in enumerate(_teachers(run), 1):
        model = teacher.get("model")
        found.append(names.get(f"teacher-{number}") or (model if isinstance(model, str) else "TEACHER"))
    return found


def _command(run: RunRecord, names: Mapping[str, str], output: str) -> str:
    recipe = recipe_of(run.config)
    words = ["mien", "train", names["data"]]
    if run.votes:
        words += ["--votes", names["votes"]]
    if "test" in names:
        words += ["--test", names["test"]]
    words += ["--output", output]
    if recipe.preset not in (None, "mien-base"):
        words += ["--preset", str(recipe.preset)]
    elif run.config.architecture != TrainingConfig().architecture:
        words += ["--architecture", run.config.architecture]
    if run.labels and run.labels != PRESET_LABELS.get(recipe.preset or "", DEFAULT_LABELS):
        words += ["--labels", ",".join(run.labels)]
    if run.facts.get("start"):
        words += _start_options(_start(run), names)
    for teacher in _teacher_names(run, names):
        words += ["--teacher", teacher]
    for name, (value, _) in recipe.changes.items():
        words += _option(name, value)
    if run.config.seed:
        words += _option("seed", run.config.seed)
    return shlex.join(words)


def _start(run: RunRecord) -> Mapping[str, Any]:
    """What is known of the weights to start from; nobody promises that the file says it in Mien's way."""
    start = run.facts.get("start")
    return start if isinstance(start, Mapping) else {}


def _start_options(start: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    if "source" not in start and "init" not in names:
        return ["--from", names.get("start") or _start_name(start)]
    source, digest = str(start.get("source", "")), start.get("sha256")
    address = source if source.startswith("https://") else ""
    words = ["--init", names.get("init") or address or "INIT.safetensors"]
    return [*words, "--sha256", digest] if isinstance(digest, str) else words


def _start_name(start: Mapping[str, Any]) -> str:
    if "source" in start:
        return str(start["source"]) if str(start["source"]).startswith("https://") else "START"
    return str(start.get("model") or "START")


def _data(run: RunRecord) -> str:
    said = run.facts.get("data") or (run.card.training.get("data") if run.card else None)
    return said if isinstance(said, str) and said else "DATA"


def _test_data(run: RunRecord) -> str | None:
    if run.metrics is not None:
        return str(run.metrics["data"])
    accuracy = run.card.metric("accuracy") if run.card else None
    return None if accuracy is None else accuracy.data.rpartition(" (")[0]


def _seen_from(here: Path, place: Path) -> str:
    """A path below the folder is told from there, any other one whole."""
    text = os.path.relpath(place, here)
    return str(place) if text.startswith("..") else text


def _option(name: str, value: Any) -> list[str]:
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{dashed}" if value else f"--no-{dashed}"]
    return [f"--{dashed}", str(value)]

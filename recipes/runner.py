"""Runs the jobs of a plan side by side, each a `mien` of its own that resumes exactly, within a time."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from mien.core.files import atomic_write, ensure_folder
from mien.training.run_folder import BEST
from recipes.plan import PLAIN, Job, Plan

CHOSEN = "levers.json"
_SECONDS_TO_STOP = 20
_LOOK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Place:
    """Where data and results are.

    Attributes:
        data: folder of faces to train on.
        votes: file of votes, or None.
        test: faces that are left out of training where they are known, and reported; None for none.
        output: folder of all runs.
    """

    data: Path
    votes: Path | None
    test: Path | None
    output: Path


def run_plan(plan: Plan, place: Place, *, at_once: int, threads: int, minutes: float) -> list[str]:
    """Do what is not done yet; return the names of the jobs that are still not done.

    Args:
        plan: the jobs; those that come first begin first.
        place: of data and results.
        at_once: how many run side by side.
        threads: of each.
        minutes: after which all are stopped; the same call goes on after their last whole epochs.
    """
    ensure_folder(place.output)
    end = time.monotonic() + 60 * minutes
    by_name = {job.name: job for job in plan.jobs}
    working: dict[str, subprocess.Popen[bytes]] = {}
    failed: set[str] = set()
    try:
        while time.monotonic() < end:
            for name in [name for name, process in working.items() if process.poll() is not None]:
                ended = working.pop(name).returncode
                done = is_done(by_name[name], place.output)
                failed |= {name} if ended else set()
                how = ("done" if not ended else "trained, not exported") if done else "failed"
                print(f"{name} {how}" + (f"; see {place.output / name}.log" if ended else ""), flush=True)
            ready = [
                job
                for job in plan.jobs
                if job.name not in working.keys() | failed and _ready(job, plan, place)
            ]
            # What others wait for long begins first; levers are tried beside it.
            ready.sort(key=lambda job: job.screens is not None)
            for job in ready[: at_once - len(working)]:
                working[job.name] = _start(job, plan, place, threads)
            if not working:
                break
            time.sleep(_LOOK_EVERY)
    finally:
        _stop(list(working.values()))
    return [job.name for job in plan.jobs if not is_done(job, place.output)]


def is_done(job: Job, output: Path) -> bool:
    """Tell whether a job has nothing left to do."""
    folder = output / job.name
    if job.folds:
        has_weights = all((folder / f"fold-{n}" / BEST).exists() for n in range(1, job.folds + 1))
        return has_weights and "pooled" in _json(folder / "crossval.json")
    # Of a lever the log is enough, which may be all that came from elsewhere. Nothing has to wait for a
    # trained network that cannot be exported, as with another PyTorch: that can be made up for at home.
    is_trained = _has_card(job, output) or _epochs(folder) >= job.options["epochs"]
    return is_trained and (job.screens is not None or (folder / BEST).exists())


def _has_card(job: Job, output: Path) -> bool:
    return (output / job.name / f"{job.name}.json").exists()  # it is written last


def _epochs(folder: Path) -> int:
    try:
        return len((folder / "log.csv").read_text(encoding="utf-8").splitlines()) - 1
    except OSError:
        return 0


def accuracies(plan: Plan, output: Path) -> dict[str, dict[int, float]]:
    """Return the best validation accuracy of each screened lever by seed, of the runs that are done."""
    found: dict[str, dict[int, float]] = {}
    for job in plan.jobs:
        if job.screens is not None and is_done(job, output):
            found.setdefault(job.screens, {})[job.options["seed"]] = best_accuracy(output / job.name)
    return found


def best_accuracy(folder: Path) -> float:
    """Return the best validation accuracy in a run's log."""
    with (folder / "log.csv").open(newline="", encoding="utf-8") as file:
        return max(float(row["validation_accuracy"]) for row in csv.DictReader(file))


def gains(found: Mapping[str, Mapping[int, float]]) -> dict[str, tuple[float, float]]:
    """Return each lever's mean gain over the plain recipe, paired by seed, and its standard error."""
    plain, rows = found.get(PLAIN, {}), {}
    for lever, by_seed in found.items():
        pairs = [accuracy - plain[seed] for seed, accuracy in by_seed.items() if seed in plain]
        if lever != PLAIN and pairs:
            error = stdev(pairs) / len(pairs) ** 0.5 if len(pairs) > 1 else float("inf")
            rows[lever] = (fmean(pairs), error)
    return rows


def kept(plan: Plan, output: Path) -> dict[str, Any]:
    """Return the options of the levers whose gain is above its standard error; the larger gains win."""
    rows = sorted(gains(accuracies(plan, output)).items(), key=lambda row: row[1][0])
    chosen = [lever for lever, (gain, error) in rows if gain > error]
    options: dict[str, Any] = {}
    for lever in chosen:
        options |= plan.levers[lever]
    report = {"gains": {lever: list(row) for lever, row in rows}, "kept": chosen, "options": options}
    atomic_write(output / CHOSEN, json.dumps(report, indent=2) + "\n")
    return options


def _ready(job: Job, plan: Plan, place: Place) -> bool:
    is_wanted = job.screens is None and not job.folds  # a model that was trained and not exported, exports
    if is_done(job, place.output) and (not is_wanted or _has_card(job, place.output)):
        return False
    by_name = {one.name: one for one in plan.jobs}
    needed = [by_name[name] for name in job.teachers]
    needed += [one for one in plan.jobs if one.screens is not None] if job.levers else []
    return all(is_done(one, place.output) for one in needed)


def _start(job: Job, plan: Plan, place: Place, threads: int) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[1]
    paths = [str(root / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        "MIEN_DATA": str(place.output / ".data"),
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": str(threads),
        "PYTHONUNBUFFERED": "1",
    }
    print(f"{job.name} begins", flush=True)
    with (place.output / f"{job.name}.log").open("ab") as log:
        return subprocess.Popen(
            command(job, plan, place), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def command(job: Job, plan: Plan, place: Place) -> list[str]:
    """Return the words of a job's `mien`."""
    options = {**job.options, **(kept(plan, place.output) if job.levers else {})}
    words = [sys.executable, "-m", "mien", "crossval" if job.folds else "train", str(place.data)]
    words += ["--output", str(place.output / job.name)]
    words += ["--votes", str(place.votes)] if place.votes else []
    words += ["--test", str(place.test)] if place.test else []
    words += ["--folds", str(job.folds)] if job.folds else []
    for teacher in job.teachers:
        words += ["--teacher", str(place.output / teacher)]
    for name, value in options.items():
        dashed = name.replace("_", "-")
        words += (
            [f"--{'' if value else 'no-'}{dashed}"]
            if isinstance(value, bool)
            else [f"--{dashed}", str(value)]
        )
    return words


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGINT)
    end = time.monotonic() + _SECONDS_TO_STOP
    for process in processes:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

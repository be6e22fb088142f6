"""The report of a run, made from its folder's files at the end of training or whenever it is wanted.

Needs the extra `report`. The files, which lie in the run's folder:

| file                      | what it holds                                                        |
| ------------------------- | -------------------------------------------------------------------- |
| report.html               | one page, offline: recipe, curves, figures, cost, the command        |
| curves.png, curves.svg    | loss, accuracy and learning rate of every epoch                      |
| cost.json                 | milliseconds a face on one thread, the machine, the model's bytes    |
| metrics.json              | every figure on the test faces, where there are some; and beside it  |
|                           | confusion_matrix.csv and classification_report.txt                   |
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.core.errors import TrainingError
from mien.core.files import atomic_write, ensure_folder, shown
from mien.core.machine import processors
from mien.datasets import FaceDataset
from mien.evaluation import Evaluation, curves, evaluate, milliseconds_per_face
from mien.evaluation.report import figures_of, read_log, write_tables
from mien.evaluation.run_page import RunPage, figures_of_card, write_run_page
from mien.figures.style import percent
from mien.training.run_folder import LOG
from mien.training.runs.command import command_of, start_of, taught_by
from mien.training.runs.read import read_run
from mien.training.runs.recipe import recipe_of
from mien.training.runs.record import COST, METRICS, RunRecord
from mien.training.runs.times import duration
from mien.zoo.registry import Model, load_model

# The least of several medians: what else the machine does at the time makes calls slower, never faster.
_ROUNDS = 5
_SPEED_FACES = 16


def report_run(
    folder: Path,
    output: Path | None = None,
    *,
    test: FaceDataset | None = None,
    evaluation: Evaluation | None = None,
) -> Path:
    """Write the report of a run, finished or not; return report.html.

    Args:
        folder: the run; nothing but the report's files is written there.
        output: where to write them, a folder with copies of the run's small files; without it the run's.
        test: labelled faces to measure the exported model on.
        evaluation: of the exported model on test faces, where that is done already.

    Raises:
        TrainingError: the folder is no run, or its metrics.json is damaged.
        MissingExtraError: matplotlib, jinja2 or scikit-learn is not installed.
        OutputError: a file cannot be written.
        MienError: the model does not run, or the test faces are not its.
    """
    run, place = read_run(folder), ensure_folder(output or folder)
    if run.model is not None:
        model = load_model(run.model, threads=1, device="cpu")
        write_cost(place, run.model, model)
        if test is not None and evaluation is None:
            evaluation = evaluate(model, test)
        if evaluation is not None:
            figures = {**figures_of(model, evaluation), **curves(evaluation).to_dict()}
            write_tables(place, evaluation, figures)
    run = replace(read_run(place, run.name), path=folder, state=run.state)
    known = run.metrics or (figures_of_card(run.card) if run.card else None)
    try:
        return write_run_page(place, _page(run, known), read_log(folder / LOG), known)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if run.metrics is None:
            raise
        raise TrainingError(
            f"{METRICS} in {shown(place)} lacks what a report shows ({error!r}); measure again: "
            "mien runs report --test, in Python run.report(mien.evaluate(run, test))"
        ) from error


def write_cost(folder: Path, file: Path, model: Model) -> None:
    """Measure how long a model takes for one face, and keep it in `folder` with the machine and the size."""
    side = model.card.input
    shape = (_SPEED_FACES, side.height, side.width)
    faces = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    taken = min(milliseconds_per_face(model, faces) for _ in range(_ROUNDS))
    cost = {
        "milliseconds_per_face": round(taken, 3),
        "threads": 1,
        "bytes": file.stat().st_size,
        "machine": machine(),
    }
    atomic_write(folder / COST, json.dumps(cost, indent=2, ensure_ascii=False) + "\n")


def machine() -> str:
    """Return the processor in a few words."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration, UnicodeDecodeError):
        name = platform.processor() or platform.machine()
    count = processors()
    return f"{name}, {count} processor{'s' if count > 1 else ''}"


def _page(run: RunRecord, figures: Mapping[str, Any] | None) -> RunPage:
    recipe = recipe_of(run.config)
    return RunPage(
        name=run.name,
        intro=_intro(run),
        headlines=_headlines(run),
        facts=[(name, text) for name, text in _facts(run) if text],
        recipe=f"{recipe.name} recipe",
        changes=[(name, str(value), str(other)) for name, (value, other) in recipe.changes.items()],
        options=[(name, str(value)) for name, value in run.config.to_dict().items()],
        protocol=_protocol(run, figures),
        command=command_of(run),
        limits=[text for text in (run.card.intended_use, run.card.limits) if text] if run.card else [],
        note=run.note,
        problems=run.problems,
    )


def _intro(run: RunRecord) -> str:
    return f"{run.told[0].upper()}{run.told[1:]}."


def _headlines(run: RunRecord) -> list[tuple[str, str, str, str]]:
    if (best := run.best) is None:
        return []
    faces = run.facts.get("validation_faces")
    on = f"on {faces:,} faces kept apart" if isinstance(faces, int) else "on the faces kept apart"
    return [
        ("best epoch", f"{best.epoch}", f"of {len(run.log)}", f"chosen by validation {run.config.monitor}"),
        ("validation accuracy", percent(best.validation_accuracy, 1), "", on),
        ("validation loss", f"{best.validation_loss:.3f}", "", on),
    ]


def _facts(run: RunRecord) -> list[tuple[str, str]]:
    facts, size, cost = run.facts, run.size, run.cost or {}
    data = facts.get("data", "")
    faces, kept = facts.get("faces"), facts.get("validation_faces")
    own = ", the data's own validation split" if facts.get("own_validation") else ""
    counts = f" ({faces:,} faces, {kept:,} more to validate on{own})" if _whole(faces, kept) else ""
    bytes_ = cost.get("bytes")
    return [
        ("network", run.config.architecture),
        ("data", f"{data}{counts}"),
        ("labels, in order", ", ".join(run.labels)),
        ("crowd votes", "in the targets" if run.votes else "none"),
        ("started from", start_of(run)),
        ("taught by", taught_by(run)),
        ("parameters", f"{size.parameters:,}, {size.trained:,} of them trained" if size else ""),
        ("multiply-adds a face", f"{size.multiply_adds:,}" if size else ""),
        ("time", f"{duration(run.seconds)}; an epoch {_epoch_time(run)}" if run.log else ""),
        ("milliseconds a face, one thread", f"{cost['milliseconds_per_face']:.2f}" if cost else ""),
        ("speed measured on", str(cost.get("machine", ""))),
        ("size of the model", f"{bytes_ / 1e6:.1f} MB" if bytes_ else ""),
        ("trained with", _machine(facts)),
        ("versions", ", ".join(f"{n} {facts[n]}" for n in ("mien", "torch") if n in facts)),
        ("revision", str(facts.get("revision") or "")),
        ("digest of the data", str(facts.get("data_digest", ""))),
        ("model's SHA-256", run.card.sha256 or "" if run.card else ""),
    ]


def _machine(facts: Mapping[str, Any]) -> str:
    many = facts.get("processes", 1)
    words = [str(facts.get("device", ""))]
    words += [f"{facts['threads']} threads"] if "threads" in facts else []
    words += [f"{many} processes"] if many != 1 else []
    return ", ".join(filter(None, words))


def _protocol(run: RunRecord, figures: Mapping[str, Any] | None) -> str:
    if figures is None or run.card is None:
        return ""
    return (
        f"The test figures: one forward pass a face on {figures['data']}, no test-time augmentation, by the "
        "exported file. Ranges are 95 % intervals, Wilson's for accuracies and the bootstrap for macro-F1. "
        f"Confidences are at the card's temperature ({run.card.temperature:g}), coverage at its threshold "
        f"({run.card.threshold:g}). Nothing was chosen on these faces."
    )


def _epoch_time(run: RunRecord) -> str:
    """The median: an epoch in which the machine slept says nothing."""
    return duration(float(np.median([log.seconds for log in run.log])))


def _whole(*values: Any) -> bool:
    return all(isinstance(value, int) for value in values)

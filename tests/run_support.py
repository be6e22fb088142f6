"""Run folders made by hand, as training leaves them; PyTorch is not needed."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from mien.testing import fake_card, write_model
from mien.training.config import TrainingConfig
from mien.training.presets import PRESETS
from mien.training.schedules import EpochLog
from mien.zoo.card import Metric

LABELS = ("angry", "happy", "sad")
LAYERS = (
    "R5\n\nlayer  kind\n\nparameters 883,173 with running statistics, 881,253 trained; "
    "multiply-adds 70,265,344 for a face of 48×48\n"
)


def epoch(number: int, accuracy: float, *, best: bool = True) -> EpochLog:
    return EpochLog(number, 2 / number, accuracy, 1.5 - accuracy, accuracy, 0.01, 10.0, best)


def write_log(folder: Path, *logs: EpochLog) -> None:
    with (folder / "log.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(EpochLog)])
        writer.writeheader()
        writer.writerows(asdict(log) for log in logs)


def make_run(folder: Path, *accuracies: float, preset_of: str = "", **options: Any) -> Path:
    """A run whose epochs had these validation accuracies; all of them are done unless `epochs` says more."""
    folder.mkdir(parents=True)
    usual = (
        PRESETS[preset_of]
        if preset_of
        else {"epochs": len(accuracies) or 3, "architecture": "r5", "small_fraction": 0.0}
    )
    config = TrainingConfig(**{**usual, **options})
    facts = {"mien": "0.1.0", "labels": list(LABELS), "votes": False, "faces": 80, "validation_faces": 20}
    facts |= {
        "data": "made/train",
        "data_digest": f"{config.seed}",
        "threads": 2,
        "device": "cpu",
        "start": None,
    }
    (folder / "config.json").write_text(config.to_json())
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "architecture.txt").write_text(LAYERS, encoding="utf-8")
    if accuracies:
        kept = [a == max(accuracies[: i + 1]) for i, a in enumerate(accuracies)]
        write_log(folder, *(epoch(i + 1, a, best=kept[i]) for i, a in enumerate(accuracies)))
    return folder


def add_model(folder: Path, accuracy: float | None = None) -> Path:
    """A small real model in the run, with a test accuracy in its card or none."""
    card = replace(fake_card(LABELS, name=folder.name), limits="Not for decisions about people.")
    if accuracy is not None:
        metrics = (
            Metric("accuracy", accuracy, "made/test (40 faces)", "one pass", accuracy - 0.1, accuracy + 0.1),
        )
        card = replace(card, metrics=metrics, confusion=((20, 0, 0), (0, 10, 0), (5, 5, 0)))
    return write_model(folder, card)

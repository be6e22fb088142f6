"""The files of a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from mien.core.errors import MienError, TrainingError
from mien.core.files import atomic_write, ensure_folder
from mien.training.config import TrainingConfig
from mien.training.schedules import EpochLog

LAST, BEST, CONFIG, LOG = "last.safetensors", "best.safetensors", "config.json", "log.csv"


def open_run(folder: Path, config: TrainingConfig) -> None:
    """Create the folder of a run, or check that it holds the same one.

    Raises:
        TrainingError: the folder holds a run with other options.
    """
    if (folder / CONFIG).exists():
        if read_config(folder) != config:
            raise TrainingError(f"{str(folder)!r} holds a run with other options; choose another folder")
        return
    ensure_folder(folder)
    atomic_write(folder / CONFIG, config.to_json())


def read_config(folder: Path) -> TrainingConfig:
    """Return the configuration of a run.

    Raises:
        TrainingError: the folder is not a run, or its configuration is damaged.
    """
    try:
        return TrainingConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, MienError) as error:
        raise TrainingError(f"{str(folder)!r} is not a run of mien train: {error}") from error


def write_log(folder: Path, logs: Sequence[EpochLog]) -> None:
    """Write the log of every epoch as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(EpochLog)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(log) for log in logs)
    atomic_write(folder / LOG, text.getvalue())

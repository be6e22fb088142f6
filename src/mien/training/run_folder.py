"""The files of a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from mien.core.errors import MienError, OptionError, TrainingError
from mien.core.files import atomic_write, ensure_folder, reason, shown
from mien.records import plain_text
from mien.training._json import read_object
from mien.training.config import ARCHITECTURE_NAMES, TrainingConfig, check_code
from mien.training.schedules import EpochLog

LAST, BEST = "last.safetensors", "best.safetensors"
CONFIG, FACTS, LOG, ARCHITECTURE = "config.json", "run.json", "log.csv", "architecture.txt"
PLACES = "places.json"
EVENTS, LEFT_OUT = "tensorboard", "left-out.csv"
TAKEN = ("config", "run", "metrics", "cost", "last", "best")
"""Names of files that are no model's: a card or weights of that name would be written over a run's own."""
DIGESTS = ("data_digest", "validation_digest")
"""In the facts of a run: of the faces it is trained on, and of those it chooses with."""


def open_run(
    folder: Path,
    config: TrainingConfig,
    facts: Mapping[str, Any],
    architecture: str,
    places: Mapping[str, str] | None = None,
) -> None:
    """Create the folder of a run, or check that it holds the same one.

    Args:
        folder: of the run.
        config: how it is trained.
        facts: plain types about data and code, "data_digest", "validation_digest" and "start" among them, and
            "teachers" where there are any.
        architecture: the table of the network's layers.
        places: absolute paths of what was given, by the name of the option; they stay in this folder.

    Raises:
        TrainingError: the folder holds a run with other options, other data or another start.
    """
    if (folder / CONFIG).exists():
        if read_config(folder) != config:
            raise TrainingError(f"{str(folder)!r} holds a run with other options; choose another folder")
        before = read_facts(folder)
        # A run that an older Mien began lacks some of them.
        if any(before.get(name, facts[name]) != facts[name] for name in DIGESTS):
            raise TrainingError(f"{str(folder)!r} holds a run on other faces; choose another folder")
        if before.get("start", facts["start"]) != facts["start"]:
            raise TrainingError(f"{str(folder)!r} holds a run from another start; choose another folder")
        if before.get("teachers") != facts.get("teachers"):
            raise TrainingError(f"{str(folder)!r} holds a run with other teachers; choose another folder")
        return
    ensure_folder(folder)
    atomic_write(folder / FACTS, json.dumps(dict(facts), indent=2) + "\n")
    atomic_write(folder / ARCHITECTURE, architecture)
    if places:
        atomic_write(folder / PLACES, json.dumps(dict(places), indent=2) + "\n")
    atomic_write(folder / CONFIG, config.to_json())  # last: it is what makes the folder a run


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what a run was made with; nothing where its folder does not say.

    Raises:
        TrainingError: the file is damaged.
    """
    try:
        return read_object(folder / FACTS)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TrainingError(f"{str(folder / FACTS)!r} cannot be read: {error}; start the run anew") from error


def read_config(folder: Path) -> TrainingConfig:
    """Return the configuration of a run.

    Raises:
        TrainingError: the folder is not a run, or its configuration is damaged.
    """
    file = folder / CONFIG
    try:
        return TrainingConfig.from_dict(read_object(file))
    except FileNotFoundError as error:
        raise TrainingError(f"{shown(folder)} is not a run of mien train: it has no {CONFIG}") from error
    except OSError as error:
        raise TrainingError(f"{shown(file)} cannot be read: {reason(error)}") from error
    except (ValueError, TypeError, MienError) as error:
        raise TrainingError(
            f"{shown(file)} is damaged, or of another version of Mien: {error}; put it back from a copy, or "
            "train into another folder"
        ) from error


def run_config(folder: Path, architecture: str | None) -> TrainingConfig:
    """Return the configuration of a run whose network is going to be made.

    Args:
        folder: the run, perhaps a stranger's.
        architecture: that the user named, or None.

    Raises:
        TrainingError: the folder is not a run, or its configuration is damaged.
        OptionError: its network is someone's own code, or another one, and the user did not name it.
    """
    config = read_config(folder)
    if config.architecture in ARCHITECTURE_NAMES and architecture not in (None, config.architecture):
        raise OptionError(f"the network of {str(folder)!r} is {config.architecture}, not {architecture!r}")
    check_code(config.architecture, architecture, f"the options of {str(folder)!r}")
    return config


def model_name(folder: Path, output: Path) -> str:
    """Return the name of a run's model where none was given: its folder's, unless a file in it has that."""
    name = folder.resolve().name
    return f"{name}-model" if is_taken(name, folder, output) else name


def is_taken(name: str, folder: Path, output: Path) -> bool:
    """Return whether a model of this name in `output` would lie over files of the run in `folder`."""
    # Whatever the capitals: some systems take them for one name.
    return name.lower() in TAKEN and output.resolve() == folder.resolve()


def check_labels(labels: Any, whose: Path) -> tuple[str, ...] | None:
    """Return labels as a run or a file of weights has them; None where it has none.

    Raises:
        TrainingError: they are not two or more different names.
    """
    if labels is None:
        return None
    is_list = isinstance(labels, list) and all(isinstance(x, str) and x.isprintable() for x in labels)
    if not is_list or len(labels) < 2 or len(set(labels)) < len(labels) or not all(labels):
        raise TrainingError(
            f"the labels in {shown(whose)} are {str(labels)[:100]!r}, not two or more different names; "
            "get it again, or train anew"
        )
    return tuple(labels)


def write_log(folder: Path, logs: Sequence[EpochLog]) -> None:
    """Write the log of every epoch as CSV."""
    atomic_write(folder / LOG, _log_text(logs))


def mend_log(folder: Path, logs: Sequence[EpochLog]) -> None:
    """Write the log where it says something else: a kill may come between a checkpoint and its row."""
    content = _log_text(logs).encode()
    try:
        place = folder / LOG
        is_whole = place.stat().st_size == len(content) and place.read_bytes() == content
    except OSError:
        is_whole = False
    if not is_whole:
        write_log(folder, logs)


def _log_text(logs: Sequence[EpochLog]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(EpochLog)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(log) for log in logs)
    return text.getvalue()


def write_left_out(folder: Path, names: Sequence[str]) -> None:
    """Write which faces were not trained on because the test has them too, as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["name"], *([plain_text(name)] for name in names)])
    atomic_write(folder / LEFT_OUT, text.getvalue())

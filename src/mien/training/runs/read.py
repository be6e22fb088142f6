"""Reading runs' folders: without PyTorch, whole or not, and never trusted."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mien.core.errors import CardError, MienError, TrainingError
from mien.core.files import reason, shown
from mien.core.given import given_path
from mien.training._json import MAX_BYTES, parse_object
from mien.training.at_work import WORK, is_at_work
from mien.training.config import TrainingConfig
from mien.training.run_folder import ARCHITECTURE, CONFIG, FACTS, LAST, LOG, PLACES, read_config, read_facts
from mien.training.runs.record import COST, LONGEST_NOTE, METRICS, NOTE, RunRecord, Size
from mien.training.schedules import EpochLog, patience_ended
from mien.zoo.card import Card

_DEEPEST = 4
_MOST_RUNS = 10_000
_MOST_CARDS = 100
# A run that wrote nothing for three epochs, or two minutes, is not at work any more.
_QUIET_EPOCHS, _QUIET_SECONDS = 3, 120.0
_LOGGED = ("train_loss", "validation_loss", "validation_accuracy")
_TOTALS = re.compile(
    r"parameters ([\d,]+) with running statistics, ([\d,]+) trained; multiply-adds ([\d,]+) for"
)


def read_run(folder: str | os.PathLike[str], name: str | None = None) -> RunRecord:
    """Read a run's folder.

    A damaged file beside the configuration is named in `problems`; what is whole is read.

    Args:
        folder: of the run, of any age and state.
        name: to call it by; that of the folder without it.

    Raises:
        OptionError: `folder` is no path.
        TrainingError: the folder is not a run, or its configuration is damaged.
    """
    folder = given_path("folder", folder, "the folder of a run")
    problems: list[str] = []
    config = read_config(folder)
    facts = _facts(folder, problems)
    log = _log(folder, problems)
    card, model = _card(folder, problems)
    state, guessed = _state(folder, config, log)
    return RunRecord(
        path=folder,
        name=name or folder.resolve().name,
        config=config,
        facts=facts,
        log=log,
        state=state,
        guessed=guessed,
        whole=(folder / LAST).exists() or not log,
        places=_places(folder, problems),
        size=_size(folder, problems),
        card=card,
        model=model,
        metrics=_metrics(folder, card, problems),
        cost=_cost(folder, problems),
        note=_note(folder, problems),
        problems=tuple(problems),
    )


def find_runs(folder: str | os.PathLike[str]) -> tuple[list[RunRecord], list[tuple[Path, str]]]:
    """Return the runs in a folder and below it, by name, and the folders that are none, with the reason.

    Args:
        folder: of runs, or a run itself. Links to folders are not followed.

    Raises:
        OptionError: `folder` is no path.
        TrainingError: there is no such folder.
    """
    folder = given_path("folder", folder, "the folder that holds your runs")
    if not folder.is_dir():
        raise TrainingError(f"{shown(folder)} is not a folder; name the folder that holds your runs")
    if (folder / CONFIG).exists():
        return [read_run(folder)], []
    runs: list[RunRecord] = []
    wrong: list[tuple[Path, str]] = []
    for child in _folders(folder):
        found = list(_run_folders(child, _DEEPEST))
        if not found:
            wrong.append((child, f"has no {CONFIG}, so it is no run"))
        for place in found[: _MOST_RUNS - len(runs)]:
            try:
                runs.append(read_run(place, place.relative_to(folder).as_posix()))
            except MienError as error:
                wrong.append((place, str(error)))
    return runs, wrong


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            child
            for child in folder.iterdir()
            if child.is_dir() and not child.is_symlink() and not child.name.startswith(".")
        )
    except OSError:
        return []


def _run_folders(folder: Path, deepest: int) -> Iterator[Path]:
    if (folder / CONFIG).exists():
        yield folder
    elif deepest:
        for child in _folders(folder):
            yield from _run_folders(child, deepest - 1)


def _check_size(path: Path) -> None:
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise TrainingError(f"{shown(path)} is larger than {MAX_BYTES / 1e6:.0f} MB, so it is none of Mien's")


def _text(path: Path, problems: list[str]) -> str | None:
    """Return a small text file; None where it is missing, or is damaged, which is noted."""
    try:
        _check_size(path)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, TrainingError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        problems.append(f"{path.name} cannot be read: {why}")
        return None


def _json(path: Path, problems: list[str]) -> dict[str, Any] | None:
    if (text := _text(path, problems)) is None:
        return None
    try:
        return parse_object(text)
    except ValueError as error:
        problems.append(f"{path.name} is damaged: {error}")
        return None


def _facts(folder: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return read_facts(folder)
    except MienError:
        problems.append(f"{FACTS} is damaged: it is not a JSON object")
        return {}


def _log(folder: Path, problems: list[str]) -> tuple[EpochLog, ...]:
    text = _text(folder / LOG, problems)
    logs: list[EpochLog] = []
    try:
        rows = csv.DictReader(io.StringIO(text or ""))
        if text and not set(rows.fieldnames or ()) >= set(_LOGGED):
            raise ValueError(f"{LOG} lacks columns")
        for row in rows:
            logs.append(_epoch(row, len(logs) + 1))
    except (KeyError, TypeError, ValueError, csv.Error):
        problems.append(f"{LOG} is damaged after {len(logs)} epochs")
    return tuple(logs)


def _epoch(row: Mapping[str, str], number: int) -> EpochLog:
    """Runs of the first Mien did not log every column."""
    if int(row["epoch"]) != number:
        raise ValueError(row["epoch"])
    values = {name: float(row[name]) for name in _LOGGED}
    values |= {name: float(row.get(name, "nan")) for name in ("train_accuracy", "learning_rate")}
    values["seconds"] = float(row.get("seconds", "0"))
    if not all(map(math.isfinite, (*(values[name] for name in _LOGGED), values["seconds"]))):
        raise ValueError(f"epoch {number} has a figure that is no number")
    return EpochLog(epoch=number, best=row.get("best") == "True", **values)


def _places(folder: Path, problems: list[str]) -> dict[str, str]:
    found = _json(folder / PLACES, problems) or {}
    return {name: place for name, place in found.items() if isinstance(place, str) and place}


def _state(folder: Path, config: TrainingConfig, log: tuple[EpochLog, ...]) -> tuple[str, bool]:
    """Return the state, and whether it is a guess."""
    if log and (log[-1].epoch >= config.epochs or patience_ended(config, log)):
        return "finished", False
    stopped = "interrupted" if log else "not started"
    if log and not (folder / LAST).exists():
        return stopped, False  # it could not go on: a copy of the small files
    if (known := is_at_work(folder)) is not None:
        return ("running" if known else stopped), False
    times = [path.stat().st_mtime for name in (LOG, LAST, CONFIG) if (path := folder / name).exists()]
    patience = max(_QUIET_SECONDS, _QUIET_EPOCHS * max((entry.seconds for entry in log[-3:]), default=0))
    return ("running", True) if time.time() - max(times) < patience else (stopped, False)


def _size(folder: Path, problems: list[str]) -> Size | None:
    found = _TOTALS.search(_text(folder / ARCHITECTURE, problems) or "")
    return None if found is None else Size(*(int(number.replace(",", "")) for number in found.groups()))


def _card(folder: Path, problems: list[str]) -> tuple[Card | None, Path | None]:
    """Return the card of the exported model, not that of an int8 twin, and the model's file."""
    own = {CONFIG, FACTS, METRICS, COST, PLACES, WORK}
    files = [path for path in sorted(folder.glob("*.json")) if path.name not in own][:_MOST_CARDS]
    files.sort(key=lambda path: (not path.with_suffix(".onnx").exists(), path.stem != folder.resolve().name))
    for path in files:
        model = path.with_suffix(".onnx")
        try:
            _check_size(path)
            card = Card.read(path)
        except (CardError, TrainingError) as error:
            if model.exists():
                problems.append(f"{path.name} is damaged: {error}")
            continue
        if card.precision == "fp32":
            return card, model if model.is_file() else None
    return None, None


def _metrics(folder: Path, card: Card | None, problems: list[str]) -> dict[str, Any] | None:
    found = _json(folder / METRICS, problems)
    if found is None:
        return None
    try:
        int(found["faces"]), str(found["data"]), found["model"]["digest"]
        for row in found["metrics"].values():
            numbers = [row["value"], *(n for n in (row.get("low"), row.get("high")) if n is not None)]
            if not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
                raise ValueError(numbers)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        problems.append(f"{METRICS} is damaged: it is not what mien evaluate writes")
        return None
    if card is not None and card.sha256 not in (None, found["model"]["digest"]):
        problems.append(f"{METRICS} is of another model than {card.name}; mien runs report makes it anew")
        return None
    return found


def _cost(folder: Path, problems: list[str]) -> dict[str, Any] | None:
    found = _json(folder / COST, problems)
    if found is None:
        return None
    if not all(isinstance(found.get(name), (int, float)) for name in ("milliseconds_per_face", "bytes")):
        problems.append(f"{COST} is damaged: it lacks the milliseconds or the bytes")
        return None
    return found


def _note(folder: Path, problems: list[str]) -> str:
    return (_text(folder / NOTE, problems) or "")[:LONGEST_NOTE].strip()

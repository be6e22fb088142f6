"""What a run's folder says: read without PyTorch, whole or not, and never trusted."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mien.core.errors import CardError, MienError, TrainingError
from mien.core.files import atomic_write, reason, shown
from mien.training.config import TrainingConfig
from mien.training.run_folder import ARCHITECTURE, CONFIG, FACTS, LAST, LOG, read_config, read_facts
from mien.training.schedules import EpochLog, patience_ended
from mien.zoo.card import Card

NOTE, METRICS, COST = "note.txt", "metrics.json", "cost.json"
STATES = ("finished", "running", "interrupted")
LONGEST_NOTE = 2000
_MOST_BYTES = 8_000_000
_DEEPEST = 4
_MOST_RUNS = 10_000
_MOST_CARDS = 100
# A run that wrote nothing for three epochs, or two minutes, is not at work any more.
_QUIET_EPOCHS, _QUIET_SECONDS = 3, 120.0
_LOGGED = ("train_loss", "validation_loss", "validation_accuracy")
_TOTALS = re.compile(
    r"parameters ([\d,]+) with running statistics, ([\d,]+) trained; multiply-adds ([\d,]+) for"
)


class Measured(NamedTuple):
    """One figure with the ends of its 95 % interval, or None where it has none."""

    value: float
    low: float | None = None
    high: float | None = None


class Size(NamedTuple):
    """What a network costs: parameters as Keras counts them (batch norm: four a channel), and work a face."""

    parameters: int
    trained: int
    multiply_adds: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its folder tells it.

    Attributes:
        path: the folder.
        name: of the folder, or its place below the folder that was searched.
        config: how it is trained.
        facts: data, labels, versions, machine; as run.json has them.
        log: what each epoch did; accuracies are fractions.
        state: one of `STATES`; "running" is a guess from the age of its files.
        size: of the network, or None where architecture.txt does not say.
        card: of the exported model, or None.
        model: the exported ONNX file, or None where it is not there.
        metrics: what metrics.json holds: every figure on the test faces; or None.
        cost: what cost.json holds: milliseconds a face, the machine, the file's bytes; or None.
        note: the decision that someone wrote down.
        problems: what is wrong with its files, in words.
    """

    path: Path
    name: str
    config: TrainingConfig
    facts: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[EpochLog, ...] = ()
    state: str = "interrupted"
    size: Size | None = None
    card: Card | None = None
    model: Path | None = None
    metrics: Mapping[str, Any] | None = None
    cost: Mapping[str, Any] | None = None
    note: str = ""
    problems: tuple[str, ...] = ()

    @property
    def best(self) -> EpochLog | None:
        """The epoch whose weights were kept."""
        return next((log for log in reversed(self.log) if log.best), None)

    @property
    def seconds(self) -> float:
        """Time of all epochs."""
        return sum(log.seconds for log in self.log)

    @property
    def labels(self) -> tuple[str, ...]:
        """What is told apart; empty where the folder does not say."""
        found = self.facts.get("labels", self.card.labels if self.card else ())
        return tuple(map(str, found)) if isinstance(found, (list, tuple)) else ()

    @property
    def votes(self) -> bool:
        """Whether crowd votes softened the targets, as far as the folder says."""
        if isinstance(said := self.facts.get("votes"), bool):
            return said and self.config.vote_weight > 0
        return bool(self.card and self.card.training.get("votes"))

    @property
    def test_faces(self) -> int | None:
        """How many faces the test figures rest on."""
        if self.metrics is not None:
            return int(self.metrics["faces"])
        return sum(map(sum, self.card.confusion)) if self.card and self.card.confusion else None

    def test(self, name: str) -> Measured | None:
        """Return a figure on the test faces, such as "accuracy"; None where it was not measured."""
        if self.metrics is not None:
            row = self.metrics["metrics"].get(name)
            return None if row is None else Measured(row["value"], row.get("low"), row.get("high"))
        metric = self.card.metric(name) if self.card else None
        return None if metric is None else Measured(metric.value, metric.low, metric.high)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, without the epochs."""
        best, accuracy, f1 = self.best, self.test("accuracy"), self.test("macro_f1")
        return {
            "name": self.name,
            "path": str(self.path),
            "state": self.state,
            "architecture": self.config.architecture,
            "seed": self.config.seed,
            "labels": list(self.labels),
            "data": self.facts.get("data"),
            "epochs": len(self.log),
            "planned_epochs": self.config.epochs,
            "best_epoch": best and best.epoch,
            "validation_accuracy": best and best.validation_accuracy,
            "test_accuracy": accuracy and accuracy._asdict(),
            "test_macro_f1": f1 and f1._asdict(),
            "test_faces": self.test_faces,
            "parameters": self.size and self.size.parameters,
            "multiply_adds": self.size and self.size.multiply_adds,
            "seconds": round(self.seconds, 3),
            "milliseconds_per_face": (self.cost or {}).get("milliseconds_per_face"),
            "model": None if self.model is None else str(self.model),
            "note": self.note,
            "problems": list(self.problems),
            "options": self.config.to_dict(),
        }


def read_run(folder: Path, name: str | None = None) -> Run:
    """Read a run's folder.

    A damaged file beside the configuration is named in `problems`; what is whole is read.

    Raises:
        TrainingError: the folder is not a run, or its configuration is damaged.
    """
    problems: list[str] = []
    _check_size(folder / CONFIG)
    config = read_config(folder)
    facts = _facts(folder, problems)
    log = _log(folder, problems)
    card, model = _card(folder, problems)
    return Run(
        path=folder,
        name=name or folder.resolve().name,
        config=config,
        facts=facts,
        log=log,
        state=_state(folder, config, log),
        size=_size(folder, problems),
        card=card,
        model=model,
        metrics=_metrics(folder, card, problems),
        cost=_cost(folder, problems),
        note=_note(folder, problems),
        problems=tuple(problems),
    )


def find_runs(folder: Path) -> tuple[list[Run], list[tuple[Path, str]]]:
    """Return the runs in a folder and below it, by name, and the folders that are none, with the reason.

    Args:
        folder: of runs, or a run itself. Links to folders are not followed.

    Raises:
        TrainingError: there is no such folder.
    """
    if not folder.is_dir():
        raise TrainingError(f"{shown(folder)} is not a folder; name the folder that holds your runs")
    if (folder / CONFIG).exists():
        return [read_run(folder)], []
    runs: list[Run] = []
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


def write_note(folder: Path, text: str) -> None:
    """Keep a decision in a run's folder; an empty one is taken back.

    Raises:
        TrainingError: the folder is not a run, or the text is longer than 2,000 characters.
        OutputError: the note cannot be written.
    """
    read_config(folder)
    if len(text) > LONGEST_NOTE:
        raise TrainingError(f"a note has at most {LONGEST_NOTE:,} characters, not {len(text):,}; shorten it")
    atomic_write(folder / NOTE, text.strip() + "\n" if text.strip() else "")


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
    if path.is_file() and path.stat().st_size > _MOST_BYTES:
        raise TrainingError(
            f"{shown(path)} is larger than {_MOST_BYTES / 1e6:.0f} MB, so it is none of Mien's"
        )


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
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        problems.append(f"{path.name} is damaged: it is not a JSON object")
        return None
    return found


def _facts(folder: Path, problems: list[str]) -> dict[str, Any]:
    try:
        _check_size(folder / FACTS)
        return read_facts(folder)
    except (MienError, RecursionError):
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


def _state(folder: Path, config: TrainingConfig, log: tuple[EpochLog, ...]) -> str:
    if log and (log[-1].epoch >= config.epochs or patience_ended(config, log)):
        return "finished"
    if log and not (folder / LAST).exists():
        return "interrupted"  # it could not go on: a copy of the small files
    times = [path.stat().st_mtime for name in (LOG, LAST, CONFIG) if (path := folder / name).exists()]
    patience = max(_QUIET_SECONDS, _QUIET_EPOCHS * max((entry.seconds for entry in log[-3:]), default=0))
    return "running" if time.time() - max(times) < patience else "interrupted"


def _size(folder: Path, problems: list[str]) -> Size | None:
    found = _TOTALS.search(_text(folder / ARCHITECTURE, problems) or "")
    return None if found is None else Size(*(int(number.replace(",", "")) for number in found.groups()))


def _card(folder: Path, problems: list[str]) -> tuple[Card | None, Path | None]:
    """Return the card of the exported model, not that of an int8 twin, and the model's file."""
    own = {CONFIG, FACTS, METRICS, COST}
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

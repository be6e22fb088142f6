"""What a run's folder says, in one record that is made of its files by `read_run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mien.core.errors import TrainingError
from mien.core.files import atomic_write
from mien.training.config import TrainingConfig
from mien.training.run_folder import read_config
from mien.training.schedules import EpochLog
from mien.zoo.card import Card

NOTE, METRICS, COST = "note.txt", "metrics.json", "cost.json"
STATES = ("finished", "running", "interrupted", "not started")
LONGEST_NOTE = 2000


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
class RunRecord:
    """A run as its folder tells it.

    Attributes:
        path: the folder.
        name: of the folder, or its place below the folder that was searched.
        config: how it is trained.
        facts: data, labels, versions, machine; as run.json has them.
        log: what each epoch did; accuracies are fractions.
        state: one of `STATES`; "not started" has no epoch.
        guessed: whether "running" is only a guess from the age of its files.
        whole: whether its checkpoint is there, or it has none yet: it can go on, and is no copy.
        places: absolute paths of what `mien train` was given, by the name of the option.
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
    guessed: bool = False
    whole: bool = False
    places: Mapping[str, str] = field(default_factory=dict)
    size: Size | None = None
    card: Card | None = None
    model: Path | None = None
    metrics: Mapping[str, Any] | None = None
    cost: Mapping[str, Any] | None = None
    note: str = ""
    problems: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """The state for a table: a guess has a question mark."""
        return f"{self.state}?" if self.guessed else self.state

    @property
    def told(self) -> str:
        """The state in words: how far the run came, and why it ended there."""
        done, planned = len(self.log), self.config.epochs
        if self.state == "finished":
            why = "" if done == planned else ": its patience ended"
            return f"finished after {done} of at most {planned} epochs{why}"
        if self.state == "not started":
            return "not started: no epoch was finished"
        if self.state == "interrupted":
            return f"interrupted: stopped after epoch {done} of {planned}"
        guess = ", as far as one can tell: it wrote something lately" if self.guessed else ""
        return f"running: {done} of {planned} epochs are done{guess}"

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

"""The card of a classifier: everything needed to run it, and what is honestly known about it.

A model is two files, `<name>.onnx` and `<name>.json`. The card is also inside the ONNX metadata, under
`METADATA_KEY`, without the file's own SHA-256.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import NoneType
from typing import Any

from mien.core.errors import CardError
from mien.core.geometry import FER2013_TEMPLATE, Point

METADATA_KEY = "mien.card"
SCHEMA = 1
TASK = "emotion-classification"
MAX_SIDE = 4096
_MOST = 1e12  # no figure is larger


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure with its protocol.

    Attributes:
        name: what was measured, such as "accuracy" or "macro_f1".
        value: the figure; rates are fractions in [0, 1].
        low, high: ends of the 95 % confidence interval, or None where none is stated.
        data: the data set and split it was measured on.
        protocol: how: passes, augmentation, what was chosen where.
    """

    name: str
    value: float
    data: str
    protocol: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _check_types("card metric", self, ("name", "data", "protocol"), str)
        _check_types("card metric", self, ("value",), (int, float))
        _check_types("card metric", self, ("low", "high"), (int, float, NoneType))
        if any(n is not None and abs(n) > _MOST for n in (self.value, self.low, self.high)):
            raise CardError(f"card metric {self.name[:80]!r} is larger than any figure")


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What the network reads: float32 (faces, channels, height, width), `(pixel / 255 - mean) / std`."""

    width: int
    height: int
    colour: str
    mean: float
    std: float

    def __post_init__(self) -> None:
        if self.colour not in ("gray", "rgb"):
            raise CardError(f"card input colour has to be 'gray' or 'rgb', not {self.colour!r}")
        _check_types("card input", self, ("width", "height"), int)
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise CardError(
                f"card input sides have to be between 1 and {MAX_SIDE}, not {self.width}×{self.height}"
            )
        if not (self.std > 0 and math.isfinite(self.mean / self.std)):
            raise CardError(f"card mean has to be a number and std above 0, not {self.mean} and {self.std}")

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return 1 if self.colour == "gray" else 3


@dataclass(frozen=True, slots=True)
class Card:
    """The description that travels with a model.

    Attributes:
        name: short name, such as "mien-base".
        labels: in the order of the network's outputs.
        input: what the network reads.
        template: where the five landmarks belong in the crop, in pixels of the input counted from its
            top left corner, in the order of `mien.core.geometry.LANDMARK_NAMES`. FER2013's, the default,
            is scaled to an input of another size.
        temperature: logits are divided by it before the softmax.
        threshold: least confidence of a stated emotion; below it a face is uncertain.
        parameters, multiply_adds: of one forward pass on one face.
        precision: "fp32" or "int8".
        architecture: name of the network.
        training: data, recipe, seed, epochs, Mien's version: plain JSON.
        metrics: what was measured, with protocol and interval.
        confusion: counts, true labels as rows and predicted labels as columns, or empty.
        licence, intended_use, limits: for readers.
        sha256: of the ONNX file, in the JSON file only.
        safetensors_sha256: of `<name>.safetensors`, the same weights to fine-tune, in the JSON file only;
            None where there are none.
    """

    name: str
    labels: tuple[str, ...]
    input: ModelInput
    template: tuple[Point, ...] = FER2013_TEMPLATE
    temperature: float = 1.0
    threshold: float = 0.0
    parameters: int | None = None
    multiply_adds: int | None = None
    precision: str = "fp32"
    architecture: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    licence: str = ""
    intended_use: str = ""
    limits: str = ""
    sha256: str | None = None
    safetensors_sha256: str | None = None
    task: str = TASK
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        _check_types("card", self, ("name", "precision", "architecture"), str)
        _check_types("card", self, ("licence", "intended_use", "limits"), str)
        _check_types("card", self, ("parameters", "multiply_adds"), (int, NoneType))
        _check_types("card", self, ("training",), Mapping)
        _check_types("card", self, ("sha256", "safetensors_sha256"), (str, NoneType))
        if self.schema != SCHEMA:
            raise CardError(f"card schema {self.schema!r} is not known; this Mien reads schema {SCHEMA}")
        if self.task != TASK:
            raise CardError(f"card task has to be {TASK!r}, not {self.task!r}")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise CardError(f"card labels have to be two or more different names, not {list(self.labels)}")
        if not all(isinstance(label, str) and label for label in self.labels):
            raise CardError(f"card labels have to be names, not {list(self.labels)}")
        if len(self.template) != 5:
            raise CardError(f"card template has to be five points, not {len(self.template)}")
        if not 0 < self.temperature < math.inf:
            raise CardError(f"card temperature has to be above 0, not {self.temperature}")
        if not 0.0 <= self.threshold <= 1.0:
            raise CardError(f"card threshold has to be in [0, 1], not {self.threshold}")

    def metric(self, name: str) -> Metric | None:
        """Return the first metric called `name`, or None."""
        return next((metric for metric in self.metrics if metric.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return asdict(self)

    def to_json(self) -> str:
        """Return the card as indented JSON, ending in a newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def without_digest(self) -> Card:
        """Return the card as it is kept inside the ONNX file, which cannot hold its own digest."""
        return replace(self, sha256=None, safetensors_sha256=None)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Card:
        """Make a card from plain types; a missing, unknown or wrong field raises CardError."""
        if not isinstance(data, Mapping):
            raise CardError(f"a card is a JSON object, not {type(data).__name__}")
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise CardError(f"card has unknown fields: {', '.join(unknown)}")
        if missing := [name for name in ("name", "labels", "input") if name not in data]:
            raise CardError(f"card lacks {', '.join(missing)}")
        if isinstance(data["labels"], str):
            raise CardError(f"card labels have to be a list of names, not {data['labels']!r}")
        values = dict(data)
        try:
            values["labels"] = tuple(data["labels"])
            values["input"] = ModelInput(**data["input"])
            values["template"] = _rows(data.get("template", FER2013_TEMPLATE), Point._make)
            values["metrics"] = _rows(data.get("metrics", ()), lambda row: Metric(**row))
            values["confusion"] = _rows(data.get("confusion", ()), lambda row: tuple(int(n) for n in row))
            return cls(**values)
        except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise CardError(f"card is malformed: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Make a card from JSON text."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CardError(f"card is not JSON: {error}") from error
        return cls.from_dict(data)

    @classmethod
    def read(cls, path: Path) -> Card:
        """Read a card from a JSON file."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise CardError(
                f"card {str(path)!r} is missing; a model needs its .json beside the .onnx"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise CardError(f"card {str(path)!r} cannot be read: {error}") from error
        try:
            return cls.from_json(text)
        except CardError as error:
            raise CardError(f"in {str(path)!r}: {error}") from error


def _rows(rows: Sequence[Any], make: Any) -> tuple[Any, ...]:
    return tuple(make(row) for row in rows)


def _check_types(what: str, value: Any, names: tuple[str, ...], kind: Any) -> None:
    """JSON holds anything; a field of another type would fail far from here."""
    for name in names:
        found = getattr(value, name)
        if not isinstance(found, kind) or isinstance(found, bool):
            raise CardError(f"{what} has {name} {found!r}, which is of the wrong type")

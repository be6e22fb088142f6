"""What a search over recipes may try, written as `learning_rate=1e-4..1e-1:log` or `batch_size=32,64`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from mien.core.errors import OptionError
from mien.training.config import TrainingConfig
from mien.training.presets import check_crops

PRUNERS: tuple[str, ...] = ("median", "hyperband", "none")
# These decide how a trial is judged; a search over them would change the yardstick, not the network.
_YARDSTICK = ("seed", "validation", "monitor")
_TYPES = {field.name: str(field.type).split(" |")[0] for field in fields(TrainingConfig)}
_MOST_CHOICES = 100


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        name: of the option.
        low, high: of the option's type.
        log: draw evenly on a logarithmic scale.
    """

    name: str
    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        return _TYPES[self.name] == "int"

    def holds(self, value: Any) -> bool:
        """Return whether `value` can be drawn."""
        return isinstance(value, (int, float)) and self.low <= value <= self.high

    def readable(self, value: Any) -> Any:
        """Return a drawn number with four digits, within the range."""
        return value if self.whole else min(max(float(f"{value:.4g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.name}={self.low:g}..{self.high:g}{':log' if self.log else ''}"


@dataclass(frozen=True, slots=True)
class Choices:
    """Some values of an option."""

    name: str
    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Return whether `value` can be drawn."""
        return value in self.values

    def readable(self, value: Any) -> Any:
        """Return the value itself."""
        return value

    def __str__(self) -> str:
        return f"{self.name}={','.join(_plain(value) for value in self.values)}"


Dimension = Range | Choices


def parse_search(texts: Sequence[str], base: TrainingConfig) -> tuple[Dimension, ...]:
    """Return the dimensions that `texts` write, checked against the limits of their options.

    Raises:
        OptionError: an unknown option, one that judges the trials, one that is named twice, or a value
            that is malformed or outside its limits.
    """
    space = tuple(_parsed(text, base) for text in texts)
    names = [dimension.name for dimension in space]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OptionError(f"{', '.join(twice)} is searched twice; write one range or one list")
    return space


def default_space(base: TrainingConfig, faces: int, fixed: Collection[str] = ()) -> tuple[Dimension, ...]:
    """Return what is searched where nothing else is asked for.

    Args:
        base: the recipe; its learning rate is the middle of the rates.
        faces: to train on; larger batches are not tried.
        fixed: options that stay as the recipe has them.
    """
    rates = (max(base.learning_rate / 10, 1e-9), min(base.learning_rate * 10, 100.0))
    sizes = tuple(size for size in (32, 64, 128, 256) if size <= faces)
    space: list[Dimension] = [
        Range("learning_rate", *rates, log=True),
        Range("weight_decay", 1e-5, 1e-2, log=True),
        Range("rotation", 0.0, 30.0),
        Range("scale", 0.0, 0.3),
        Range("light", 0.0, 0.6),
        Range("erase", 0.0, 0.5),
        Range("label_smoothing", 0.0, 0.2),
        Range("mixup", 0.0, 0.5),
    ]
    if len(sizes) > 1:
        space.append(Choices("batch_size", sizes))
    return tuple(dimension for dimension in space if dimension.name not in fixed)


def check_space(space: Sequence[Dimension], faces: int) -> None:
    """Refuse an empty space, and batches that are larger than the faces to train on."""
    if not space:
        raise OptionError("nothing is left to search; name what may change, as in --search light=0..0.6")
    for dimension in space:
        if dimension.name == "batch_size":
            most = dimension.high if isinstance(dimension, Range) else max(dimension.values)
            if most > faces:
                raise OptionError(
                    f"batch_size cannot be {most:g}: there are {faces} faces to train on; search smaller ones"
                )


def _parsed(text: str, base: TrainingConfig) -> Dimension:
    name, equals, values = (part.strip() for part in text.partition("="))
    name = name.replace("-", "_")
    if not equals or not values:
        raise OptionError(
            f"{text!r} is no search; write OPTION=LOW..HIGH, OPTION=LOW..HIGH:log or OPTION=A,B,C"
        )
    if name not in _TYPES:
        raise OptionError(f"unknown option {name!r} to search; choose from {', '.join(_searchable())}")
    if name in _YARDSTICK:
        raise OptionError(f"{name} judges the trials and cannot be searched; give it as an option")
    return _range(name, values, base) if ".." in values else _choices(name, values, base)


def _searchable() -> list[str]:
    return [name for name in _TYPES if name not in _YARDSTICK]


def _range(name: str, text: str, base: TrainingConfig) -> Range:
    if _TYPES[name] not in ("int", "float"):
        raise OptionError(f"{name} has no range; write its values, as in {name}=A,B")
    numbers, colon, scale = text.partition(":")
    low, high = (_value(name, part, base) for part in numbers.split("..", 1))
    if colon and scale != "log":
        raise OptionError(f"unknown scale {scale!r} of {name}; write :log or nothing")
    if low >= high:
        raise OptionError(f"{name} goes from {low:g} to {high:g}; the first has to be the smaller one")
    if colon and low <= 0:
        raise OptionError(f"{name} from {low:g} has no logarithm; begin above 0 or leave out :log")
    return Range(name, low, high, bool(colon))


def _choices(name: str, text: str, base: TrainingConfig) -> Choices:
    values = tuple(_value(name, part, base) for part in text.split(","))
    if len(values) < 2 or len(set(values)) < len(values) or len(values) > _MOST_CHOICES:
        raise OptionError(
            f"{name} needs 2 to {_MOST_CHOICES} different values to choose from, not {text!r}; to fix one, "
            "give it as an option"
        )
    return Choices(name, values)


def _value(name: str, text: str, base: TrainingConfig) -> Any:
    """Return one value as its option's type, within the option's limits."""
    kind, text = _TYPES[name], text.strip()
    value: Any = text
    try:
        if kind in ("int", "float"):
            value = int(text) if kind == "int" else float(text)
        elif kind == "bool":
            value = {"true": True, "on": True, "false": False, "off": False}[text.lower()]
    except (ValueError, KeyError):
        wanted = {"int": "a whole number", "float": "a number", "bool": "true or false"}[kind]
        raise OptionError(f"{name} has to be {wanted}, not {text!r}") from None
    changed = replace(base, **{name: value})
    if name == "small_fraction":
        check_crops(changed)
    return getattr(changed, name)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

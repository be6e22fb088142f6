"""Checks that the result types share; each returns the value as plain Python or raises OptionError."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any

from mien.core.errors import OptionError


def whole(name: str, value: Any, *, least: int | None = None) -> int:
    """Return `value` as an int; 5.0 and NumPy numbers pass, True and 5.5 do not."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not (isinstance(value, Integral) or float(value).is_integer()):
        raise OptionError(f"{name} has to be a whole number, not {value!r}")
    if least is not None and value < least:
        raise OptionError(f"{name} has to be at least {least}, not {value!r}")
    return int(value)


def finite(name: str, value: Any, *, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a finite float in [low, high]; NumPy numbers pass, True and text do not."""
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise OptionError(f"{name} has to be a finite number, not {value!r}")
    if not low <= number <= high:
        wanted = f"in [{low:g}, {high:g}]" if math.isfinite(high) else f"at least {low:g}"
        raise OptionError(f"{name} has to be {wanted}, not {value!r}")
    return number


def text(name: str, value: Any) -> str:
    """Return `value` if it is a string."""
    if not isinstance(value, str):
        raise OptionError(f"{name} has to be text, not {value!r}")
    return value


def record(data: Any, what: str, names: Collection[str], derived: Collection[str] = ()) -> Mapping[str, Any]:
    """Return `data` if it is a mapping with exactly the keys `names`; `derived` keys may be there too."""
    if not isinstance(data, Mapping):
        raise OptionError(f"{what} has to be a record (a mapping), not {type(data).__name__}")
    if missing := [name for name in names if name not in data]:
        raise OptionError(f"{what} lacks {', '.join(missing)}")
    if unknown := [str(name) for name in data if name not in names and name not in derived]:
        raise OptionError(f"{what} has unknown fields: {', '.join(unknown)}")
    return data


def rows(data: Any, what: str) -> list[Any]:
    """Return `data` as a list if it is a list or tuple."""
    if not isinstance(data, (list, tuple)):
        raise OptionError(f"{what} has to be a list, not {type(data).__name__}")
    return list(data)

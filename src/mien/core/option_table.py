"""Tables of options: one dataclass field an option, with its help text and limits beside it.

`--help`, validation and documentation all read the same field, so they cannot disagree.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import Field, field, fields
from typing import Any, TypeVar

from mien.core._checks import finite, whole
from mien.core.errors import OptionError

_Table = TypeVar("_Table")


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    form: tuple[str, str] | None = None,
) -> Any:
    """Return a dataclass field with its help text and its limits (`low` to `high`) or `choices`.

    `form` lets a text also be something else than a choice: how people are told to write it, and the
    regular expression that all of it matches.
    """
    metadata = {"help": help, "low": low, "high": high, "choices": choices, "form": form}
    return field(default=default, metadata=metadata)


def check_fields(table: Any) -> None:
    """Check every field of a frozen dataclass made with `option`; each becomes its plain type.

    Raises:
        OptionError: a value is of another type or outside its limits.
    """
    for entry in fields(table):
        object.__setattr__(table, entry.name, _checked(entry, getattr(table, entry.name)))


def options_digest(values: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that are equal for equal options, from plain `{option: value}`."""
    canonical = json.dumps(dict(values), sort_keys=True).encode()
    return hashlib.sha256(canonical).hexdigest()[:16]


def from_mapping(kind: type[_Table], data: Mapping[str, Any]) -> _Table:
    """Return a table with the values of `data`; missing ones have their default, unknown ones fail."""
    known = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    if unknown := [str(name) for name in data if name not in known]:
        raise OptionError(f"unknown option {', '.join(unknown)}; choose from {', '.join(known)}")
    return kind(**data)


def _checked(option: Field[Any], value: Any) -> Any:
    """Return `value` as the plain type of its field, so that equal options digest alike."""
    name, limits = option.name, option.metadata
    if option.type == "str":
        return _checked_text(name, value, limits["choices"], limits["form"])
    if option.type == "bool":
        if not isinstance(value, bool):
            raise OptionError(f"{name} has to be True or False, not {value!r}")
        return value
    if value is None and option.type == "float | None":
        return None
    number = whole(name, value) if option.type == "int" else finite(name, value)
    if not limits["low"] <= number <= limits["high"]:
        raise OptionError(f"{name} has to be between {limits['low']} and {limits['high']}, not {value!r}")
    return number


def _checked_text(
    name: str, value: Any, choices: tuple[str, ...] | None, form: tuple[str, str] | None
) -> str:
    if choices is None and form is None:
        if not isinstance(value, str):
            raise OptionError(f"{name} has to be a text, not {value!r}")
        return str(value)
    if isinstance(value, str) and (
        value in (choices or ()) or (form is not None and re.fullmatch(form[1], value))
    ):
        return str(value)
    wanted = [] if choices is None else [f"choose one of {', '.join(choices)}"]
    wanted += [] if form is None else [f"write {form[0]}"]
    raise OptionError(f"unknown {name} {value!r}; {' or '.join(wanted)}")

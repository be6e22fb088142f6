"""JSON that anyone may have written: its size, its depth and its numbers are checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

MAX_BYTES = 8_000_000
"""Most bytes of a JSON file in a run's folder; ten thousand epochs have less."""


def parse_object(text: str | bytes) -> dict[str, Any]:
    """Return the object that `text` is.

    Raises:
        ValueError: it is none, holds a number that is not finite, or is nested too deeply.
    """
    try:
        found = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from error
    except RecursionError as error:
        raise ValueError("it is no JSON but nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a small file.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is no plain file, larger than `MAX_BYTES`, or not an object.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES / 1e6:.0f} MB")
    return parse_object(content)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it has the number {constant}")

"""Results read back from JSON and JSON Lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mien.core.errors import MienError, OptionError
from mien.core.files import reason, shown
from mien.core.film import FilmFrame
from mien.core.results import ImageAnalysis
from mien.records.schema import Failure, Result


def read(path: str | os.PathLike[str]) -> list[ImageAnalysis]:
    """Return the analyses in a .json or .jsonl file that Mien wrote, without failures and films.

    Raises:
        OptionError: the file is missing, of another format, or damaged.
    """
    return [item for item in read_all(path) if isinstance(item, ImageAnalysis)]


def read_all(path: str | os.PathLike[str]) -> list[Result]:
    """Return all that a .json or .jsonl file of Mien holds, in order.

    One analysis as a plain JSON object, or a list of them, is read too.

    Raises:
        OptionError: the file is missing, of another format, or damaged.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".jsonl"):
        raise OptionError(f"{shown(path)} cannot be read back; Mien reads .json and .jsonl")
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise OptionError(f"{shown(path)} cannot be read: {why}") from error
    parts = _lines(data, path) if suffix == ".jsonl" else _document(data, path)
    return [_item(part, f"{shown(path)}, {place}") for place, part in parts]


def _document(data: bytes, path: str | os.PathLike[str]) -> Iterator[tuple[str, Any]]:
    document = _parsed(data, shown(path))
    if isinstance(document, dict):
        document = document.get("results", [document])
    if not isinstance(document, list):
        raise OptionError(f"{shown(path)} does not hold results of Mien")
    for number, part in enumerate(document, start=1):
        yield f"result {number}", part


def _lines(data: bytes, path: str | os.PathLike[str]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            place = f"line {number}"
            yield place, _parsed(line, f"{shown(path)}, {place}")


def _parsed(data: bytes, where: str) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{where} is not JSON: {error}") from error


def _item(data: Any, where: str) -> Result:
    try:
        if "error" in data:
            return Failure.from_dict(data)
        return FilmFrame.from_dict(data) if "frame" in data else ImageAnalysis.from_dict(data)
    except (KeyError, TypeError, ValueError, AttributeError, MienError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise OptionError(f"{where} is not a result of Mien: {why}") from error

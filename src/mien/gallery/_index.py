"""What is known of the saved faces beside their names: one JSON object a line, in the order of saving."""

from __future__ import annotations

import json
import os
from collections.abc import Container
from pathlib import Path
from typing import Any

from mien.core.errors import MienError, OutputError
from mien.core.files import atomic_write, reason, shown
from mien.core.results import Face

FILE = "index.jsonl"
_MOST_BYTES = 2**30


class Index:
    """The index of one gallery. The files are the truth: a line without a file means nothing.

    A line that was cut short (a full disk, a crash) or damaged costs what it said and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def append(self, record: dict[str, Any]) -> None:
        """Add a line.

        Raises:
            OutputError: it cannot be written.
        """
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        try:
            # For the owner only, as the faces themselves.
            with open(self.path, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(line if self._ends_well() else b"\n" + line)
        except OSError as error:
            raise OutputError(f"{shown(self.path)} cannot be written: {reason(error)}") from error

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the records by the name of their file, the last one where a name comes twice."""
        return {record["name"]: record for line in self._lines() if (record := _parsed(line)) is not None}

    def keep(self, names: Container[str]) -> None:
        """Forget every record but those of these files.

        Raises:
            OutputError: the index cannot be written.
        """
        lines = self._lines()
        if not lines:
            return
        left = [line for line in lines if (record := _parsed(line)) is not None and record["name"] in names]
        if len(left) < len(lines):
            atomic_write(self.path, b"".join(line + b"\n" for line in left), private=True)

    def _lines(self) -> list[bytes]:
        try:
            if self.path.stat().st_size > _MOST_BYTES:
                return []
            return [line for line in self.path.read_bytes().split(b"\n") if line]
        except OSError:
            return []

    def _ends_well(self) -> bool:
        try:
            with self.path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read(1) == b"\n"
        except OSError:  # empty or new
            return True


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("name"), str) else None


def parsed_face(record: dict[str, Any] | None) -> Face | None:
    """Return the face of a record, in pixels of its saved picture, or None where it is damaged or missing."""
    if record is None:
        return None
    try:
        return Face.from_dict(record["face"])
    except (MienError, KeyError, TypeError, ValueError):
        return None


def parsed_text(record: dict[str, Any] | None, name: str) -> str:
    """Return a text of a record, "" where it is damaged or missing."""
    value = (record or {}).get(name)
    return value if isinstance(value, str) else ""

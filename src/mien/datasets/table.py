"""Tables of faces: CSV files whose rows hold an emotion and the pixels (FER2013 and its kin)."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.core.emotions import Emotion
from mien.core.errors import DatasetError, MienError
from mien.core.files import reason, shown
from mien.datasets._items import (
    Item,
    OnFault,
    Pixels,
    UnknownLabelError,
    parse_label,
    parse_split,
    raise_fault,
)

CODES: tuple[str, ...] = (
    *(str(e) for e in (Emotion.ANGRY, Emotion.DISGUST, Emotion.FEAR, Emotion.HAPPY, Emotion.SAD)),
    *(str(e) for e in (Emotion.SURPRISE, Emotion.NEUTRAL, Emotion.CONTEMPT)),
)
"""What FER2013's numbers mean; 7, contempt, is what tables of CK+ add."""

_DIGITS = b"0123456789 "
_MOST_TEXT = 4 * 1024 * 1024  # characters of a face of 1024×1024, the largest that can be asked for


class Tables:
    """Faces that are rows of one or more CSV files.

    Columns, in any order and case: `pixels` (grey values of a square face, row by row, separated by
    blanks), `emotion` (a name or FER2013's number), `Usage` (the split), `name`, `subject`. Only `pixels`
    has to be there.

    Args:
        paths: the files. Without `Usage`, a file called after a split, such as train.csv, is that split.
        own: labels besides the known emotions.
        on_fault: told of a file that is no table of faces or has none; where it does not raise, the next one
            is read, and faces may differ in size.
    """

    kind = "table"

    def __init__(
        self, paths: tuple[Path, ...], own: tuple[str, ...] = (), on_fault: OnFault = raise_fault
    ) -> None:
        self.files = paths
        self._own = own
        self._on_fault = on_fault

    def faces(self) -> Iterator[tuple[Item, Pixels | MienError]]:
        """Yield every row; a file that is no table of faces raises DatasetError."""
        # Python's own limit, one for the whole process, would stop at faces of about 180×180.
        csv.field_size_limit(max(csv.field_size_limit(), _MOST_TEXT))
        for path in self.files:
            empty = True
            try:
                for face in self._read(path):
                    empty = False
                    yield face
                if empty and self._on_fault is not raise_fault:  # an empty table beside others hinders nobody
                    raise DatasetError(f"{shown(path)} has no rows of faces")
            except DatasetError as error:
                self._on_fault(error)

    def _read(self, path: Path) -> Iterator[tuple[Item, Pixels | MienError]]:
        one_size = self._on_fault is raise_fault
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                yield from _Rows(path, csv.reader(file), self._own, one_size)
        except OSError as error:
            raise DatasetError(f"{shown(path)} cannot be read: {reason(error)}") from error
        except UnicodeDecodeError as error:
            raise DatasetError(f"{shown(path)} is no CSV file: it holds bytes that are no text") from error


class _Rows:
    """The rows of one file."""

    def __init__(self, path: Path, reader: Iterator[list[str]], own: tuple[str, ...], one_size: bool) -> None:
        self._path, self._reader, self._own, self._one_size = path, reader, own, one_size
        self._split = split_of_file(path)
        self._size: int | None = None

    def __iter__(self) -> Iterator[tuple[Item, Pixels | MienError]]:
        columns = {word.strip().lower(): i for i, word in enumerate(self._next() or [])}
        if "pixels" not in columns:
            found = ", ".join(columns) or "nothing"
            raise DatasetError(
                f"{shown(self._path)} needs a column 'pixels'; its first line has {found}"[:300]
            )
        number = 0
        while (cells := self._next()) is not None:
            if any(cells):
                yield self._row(columns, cells, number)
                number += 1

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise DatasetError(f"{self._where()}: {error}") from error

    def _where(self) -> str:
        return f"{shown(self._path)}, line {getattr(self._reader, 'line_num', 0)}"

    def _row(self, columns: dict[str, int], cells: list[str], number: int) -> tuple[Item, Pixels | MienError]:
        row = {column: cells[i].strip() for column, i in columns.items() if i < len(cells)}
        name = row.get("name") or f"{self._path.stem}-{number:05d}"
        item = Item(self._where(), name, None, self._split, row.get("subject", ""))
        try:
            split = self._split_of(row)
            item = item._replace(label=self._label(row, columns), split=split)
            return item, self._pixels(row.get("pixels", ""))
        except DatasetError as error:
            return item, error

    def _split_of(self, row: dict[str, str]) -> str:
        usage = row.get("usage", row.get("split"))
        if usage is None:
            return self._split
        split = parse_split(usage)
        if split is None and usage:
            raise DatasetError(
                f"{self._where()}: Usage {usage!r} names no split; write Training or PublicTest"
            )
        return split or ""

    def _label(self, row: dict[str, str], columns: dict[str, int]) -> str | None:
        if "emotion" not in columns:
            return None
        word = row.get("emotion", "")
        if word.isascii() and word.isdigit() and int(word) < len(CODES):
            return CODES[int(word)]
        label = parse_label(word, self._own)
        if label is None:
            raise UnknownLabelError(word)
        return label

    def _pixels(self, text: str) -> Pixels:
        # Deleting what may be there is a hundred times as fast as a look at each number.
        if rest := text.encode("utf-8", "replace").translate(None, _DIGITS):
            odd = (re.search(r"\S*[^0-9 ]\S*", text) or [rest])[0]
            raise DatasetError(f"{self._where()}: pixels have to be whole numbers, not {odd[:20]!r}")
        values = np.fromstring(text, dtype=np.int64, sep=" ") if text.strip() else np.empty(0, np.int64)
        if len(values) and values.max() > 255:
            raise DatasetError(f"{self._where()}: pixel {values.max()} is above 255")
        if self._size is None or not self._one_size:
            side = math.isqrt(len(values))
            if not side or side * side != len(values):
                raise DatasetError(
                    f"{self._where()}: {len(values)} pixels make no square face; 48×48 are 2304"
                )
            self._size = len(values)
        if len(values) != self._size:
            raise DatasetError(
                f"{self._where()}: {len(values)} pixels where the rows before have {self._size}"
            )
        side = math.isqrt(self._size)
        return values.astype(np.uint8).reshape(side, side)


def split_of_file(path: Path) -> str:
    """Return the split that a file is called after (train.csv, test_with_emotions.csv), or ""."""
    return parse_split(re.split(r"[_\W]", path.stem.lower())[0]) or ""


def find_tables(root: Path) -> tuple[Path, ...]:
    """Return the tables of faces that lie in `root`: FER2013's, else those called after a split.

    A test table without emotions is left out where there is one with them.
    """
    tables = sorted(p for p in root.iterdir() if p.suffix.lower() == ".csv" and p.is_file())
    whole = [p for p in tables if p.name.lower() in ("fer2013.csv", "icml_face_data.csv")]
    if whole:
        return (whole[0],)
    named = [p for p in tables if split_of_file(p)]
    with_emotions = {split_of_file(p) for p in named if "with_emotions" in p.stem.lower()}
    return tuple(
        p for p in named if "with_emotions" in p.stem.lower() or split_of_file(p) not in with_emotions
    )

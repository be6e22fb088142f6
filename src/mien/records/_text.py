"""The writers of text formats: JSON, JSON Lines and CSV."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from mien.core.errors import OutputError
from mien.core.files import reason, shown
from mien.core.version import __version__
from mien.records._cells import plain_text
from mien.records._json import dumps
from mien.records._table import Cells
from mien.records._writer import TableWriter, Writer
from mien.records.schema import Column, Result

_SCHEMA = 1


class JsonWriter(Writer):
    """One JSON object: `{"schema": 1, "version": …, "results": […]}`, one result or failure a line.

    A result is `ImageAnalysis.to_dict()`; a failure is `{"source", "error", "message", "version"}`.
    Results with different labels may be mixed.
    """

    def _open(self, target: Path) -> None:
        self._file = open_text(target)
        self._file.write(f'{{"schema": {_SCHEMA}, "version": {json.dumps(__version__)}, "results": [')
        self._separator = "\n"

    def _write(self, item: Result) -> None:
        line = dumps(item.to_dict())
        self._file.write(self._separator + line)
        self._separator = ",\n"

    def _close(self, *, failed: bool) -> None:
        with self._file:
            self._file.write("\n]}\n")


class JsonLinesWriter(Writer):
    """One JSON object a line, a result or a failure as in JsonWriter; can be added to.

    With `append`, lines go straight into the file, each in one piece, and stay there also when a later
    one fails; the half-written last line of an interrupted run is removed first. Without it the file
    appears whole.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        labels: Sequence[str] | None = None,
        partial: bool = False,
        spare: bool = False,
        append: bool = False,
    ) -> None:
        super().__init__(path, labels=labels, partial=partial, spare=spare)
        self._append = append

    def _target(self) -> AbstractContextManager[Path]:
        return _in_place(self.path) if self._append else super()._target()

    def _open(self, target: Path) -> None:
        if self._append:
            _mend(target)
        # Unbuffered: a line is one write, so programs that add to one file do not mix theirs.
        self._file: BinaryIO = target.open("ab", buffering=0 if self._append else -1)

    def _write(self, item: Result) -> None:
        self._before = _size(self._file)
        self._file.write(dumps(item.to_dict()).encode() + b"\n")

    def _flush_item(self) -> None:
        self._file.flush()

    def _take_back(self) -> None:
        _cut(self._file, self._before)

    def _save(self, error: Exception) -> None:
        _save_until(self._before, self._file, self._place)

    def _close(self, *, failed: bool) -> None:
        self._file.close()


class CsvWriter(TableWriter):
    r"""UTF-8, comma, one line a row: one row a face, the columns of `COLUMNS`, empty where unknown.

    Numbers keep full precision. Text that a spreadsheet would run as a formula gets a leading
    apostrophe; control characters and bytes that are not UTF-8 read like `\n` and `\xff`, so that a row
    is always one line. For names exactly as they are, write JSON.
    """

    def _open_file(self, target: Path) -> None:
        self._file = open_text(target)
        self._csv = csv.writer(self._file, lineterminator="\n")

    def _write_head(self, columns: Sequence[Column]) -> None:
        self._csv.writerow([plain_text(column.name) for column in columns])

    def _write(self, item: Result) -> None:
        self._before = _size(self._file)
        super()._write(item)

    def _write_row(self, cells: Cells) -> None:
        self._csv.writerow([plain_text(cell) if isinstance(cell, str) else cell for cell in cells])

    def _flush_item(self) -> None:
        self._file.flush()

    def _take_back(self) -> None:
        _cut(self._file, self._before)

    def _save(self, error: Exception) -> None:
        _save_until(self._before, self._file, self._place)

    def _close_file(self, *, failed: bool) -> None:
        self._file.close()


def _size(file: BinaryIO | TextIO) -> int:
    """Return how long an open file is, as far as it was handed to the system."""
    return os.fstat(file.fileno()).st_size


def _cut(file: BinaryIO | TextIO, size: int) -> None:
    """End an open file at `size`."""
    file.flush()
    os.ftruncate(file.fileno(), size)


def _save_until(size: int, file: BinaryIO | TextIO, place: Path) -> None:
    """Close a file that a write failed in, and end it at `size`, after its last whole item."""
    with suppress(OSError):
        file.close()
    os.truncate(place, size)


def open_text(target: Path) -> TextIO:
    """Open a new file for text, line ends as they are written."""
    return target.open("w", encoding="utf-8", newline="")


@contextmanager
def _in_place(path: Path) -> Iterator[Path]:
    """Give `path` itself, and say it plainly when writing to it fails."""
    try:
        yield path
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) != os.fspath(path):
            raise
        raise OutputError(
            f"{shown(path)} cannot be written: {reason(error)}; choose another place"
        ) from error


def _mend(path: Path) -> None:
    """Make the last line whole: end it, or remove it where an interrupted run left half of one."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        start, tail = _last_line(file)
        if not tail:
            return
        try:
            json.loads(tail)
        except ValueError:
            if not (b'{"source":'.startswith(tail[:10]) or tail.startswith(b'{"source":')):
                raise OutputError(
                    f"{shown(path)} does not end in a result of Mien; give another name to write to"
                ) from None
            file.truncate(start)
        else:
            file.seek(0, os.SEEK_END)
            file.write(b"\n")


def _last_line(file: BinaryIO) -> tuple[int, bytes]:
    """Return where the text after the last line end begins, and that text."""
    end = start = file.seek(0, os.SEEK_END)
    tail = b""
    while start > 0:
        step = min(65536, start)
        start -= step
        file.seek(start)
        tail = file.read(step) + tail
        if (newline := tail.rfind(b"\n")) >= 0:
            return end - (len(tail) - newline - 1), tail[newline + 1 :]
    return 0, tail

"""Writers: one a format, all used the same way.

    with open_writer("faces.csv") as writer:
        for item in analyzer.analyze_many(photos):
            writer.write(item)

The file appears whole when the block ends; after an error there is no file, and one that was there
before stays as it was. A folder that cannot be written is an error at the start, before any work.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mien.core.errors import OptionError
from mien.core.files import shown
from mien.records._binary import ExcelWriter, ParquetWriter
from mien.records._text import CsvWriter, JsonLinesWriter, JsonWriter
from mien.records._writer import Writer
from mien.records.schema import Item

FORMATS: Mapping[str, type[Writer]] = {
    ".json": JsonWriter,
    ".jsonl": JsonLinesWriter,
    ".csv": CsvWriter,
    ".xlsx": ExcelWriter,
    ".parquet": ParquetWriter,
}
"""The writer of each suffix."""


def open_writer(
    path: str | os.PathLike[str],
    *,
    labels: Sequence[str] | None = None,
    append: bool = False,
    partial: bool = False,
    spare: bool = False,
) -> Writer:
    """Return the writer for the suffix of `path`; use it in a `with` block.

    Args:
        path: where to write, ending in a suffix of FORMATS.
        labels: the score columns of a table. Without them those of the first face are taken, rows
            before it wait in memory, and a later face with another label is an OptionError.
        append: add to an existing .jsonl file; no other format can.
        partial: what was written until an error stays, readable, though the work is not complete.
        spare: with `partial`, it replaces nothing: a file that was there before stays as it was.

    Raises:
        OptionError: the suffix is unknown, or the format cannot append.
        MissingExtraError: the format needs a package that is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        raise OptionError(f"{shown(path)} has the unknown suffix {suffix!r}; choose one of {known}")
    if not append:
        return FORMATS[suffix](path, labels=labels, partial=partial, spare=spare)
    if suffix != ".jsonl":
        raise OptionError(f"{shown(path)} cannot be added to; only .jsonl files can")
    return JsonLinesWriter(path, append=True)


def write(
    analyses: Iterable[Item],
    path: str | os.PathLike[str],
    *,
    labels: Sequence[str] | None = None,
    append: bool = False,
    partial: bool = False,
) -> None:
    """Write results and failures to `path` in the format of its suffix; see `open_writer`.

    Raises:
        OptionError: the suffix is unknown, or a table's faces have different labels.
        MissingExtraError: the format needs a package that is not installed.
        OutputError: the file cannot be written.
    """
    with open_writer(path, labels=labels, append=append, partial=partial) as writer:
        for item in analyses:
            writer.write(item)


__all__ = [
    "FORMATS",
    "CsvWriter",
    "ExcelWriter",
    "JsonLinesWriter",
    "JsonWriter",
    "ParquetWriter",
    "Writer",
    "open_writer",
    "write",
]

"""From what a person names (files, folders, standard input) to a list of items."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import BinaryIO

from mien.batch.items import Item, absolute
from mien.core.errors import ImageError, ImageFormatError, ImageLimitError
from mien.core.files import reason, shown
from mien.core.formats import is_picture

STDIN = "-"
MAX_STDIN = 512 * 1024 * 1024


def plan(
    inputs: Iterable[str | os.PathLike[str]],
    *,
    stdin: BinaryIO | None = None,
    exclude: Iterable[Path] = (),
) -> list[Item]:
    """Return one item for every picture that `inputs` name, in order, each once.

    A folder stands for the pictures in it and in its folders, sorted, those of a folder before those of
    its folders; hidden names and links to folders are left out. "-" reads standard input: one picture
    when it starts as one, otherwise a list of paths, one a line or separated by NUL bytes. An input that
    cannot be used (no such file, a folder without pictures) becomes an item whose `error` says why, so
    that it is reported with the others and stops none of them.

    Args:
        inputs: paths of files and folders, or "-".
        stdin: read for "-"; the process's own standard input without it.
        exclude: folders that are not entered, such as the one that results are written to.
    """
    excluded = {os.path.realpath(folder) for folder in exclude}
    items: dict[str, Item] = {}
    read_stdin = False
    for given in inputs:
        if os.fspath(given) == STDIN:
            found = iter(()) if read_stdin else _from_stdin(stdin or sys.stdin.buffer, excluded)
            read_stdin = True
        else:
            found = _from_path(os.fspath(given), excluded)
        for item in found:
            items.setdefault(item.key, item)
    return list(items.values())


def _from_path(given: str, excluded: set[str]) -> Iterator[Item]:
    try:
        status = Path(given).stat()
    except (OSError, ValueError) as error:
        yield _unusable(given, _why_missing(given, error))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _from_folder(given, excluded)
    elif stat.S_ISREG(status.st_mode):
        yield _file(given, status, PurePath(Path(given).name))
    else:
        yield _unusable(given, f"{shown(given)} is not a regular file; give - and pipe the picture in")


def _why_missing(given: str, error: Exception) -> str:
    if "://" in given:
        return f"{shown(given)} is an address; Mien reads files only, so download it first"
    if isinstance(error, FileNotFoundError):
        return f"there is no file or folder {shown(given)}; check the path"
    why = reason(error) if isinstance(error, OSError) else str(error)
    return f"{shown(given)} cannot be read: {why}"


def _from_folder(folder: str, excluded: set[str]) -> Iterator[Item]:
    from mien.core.images import EXTENSIONS

    failures: list[OSError] = []
    empty = True
    for parent, folders, names in os.walk(folder, onerror=failures.append):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(f"{parent}/{name}") not in excluded
        )
        for name in sorted(names):
            if name.startswith(".") or PurePath(name).suffix.lower() not in EXTENSIONS:
                continue
            path = str(Path(parent, name))
            try:
                status = Path(path).stat()
            except OSError as error:
                empty = False
                yield _unusable(path, _why_missing(path, error))
                continue
            if stat.S_ISREG(status.st_mode):
                empty = False
                yield _file(path, status, PurePath(os.path.relpath(path, folder)))
    for failure in failures:
        path = os.fsdecode(failure.filename)
        yield _unusable(path, f"folder {shown(path)} cannot be read: {reason(failure)}")
    if empty and not failures:
        known = " ".join(sorted(EXTENSIONS))
        yield _unusable(folder, f"folder {shown(folder)} has no pictures; Mien looks for {known}")


def _from_stdin(stream: BinaryIO, excluded: set[str]) -> Iterator[Item]:
    data = stream.read(MAX_STDIN + 1)
    if len(data) > MAX_STDIN:
        why = f"standard input holds more than {MAX_STDIN} bytes; give the paths of the files instead"
        yield _unusable(STDIN, why, ImageLimitError)
    elif is_picture(data):
        yield Item(
            key=f"sha256:{hashlib.sha256(data).hexdigest()}",
            name=STDIN,
            source=data,
            relative=PurePath("stdin"),
            size=len(data),
        )
    elif not data.strip():
        yield _unusable(STDIN, "standard input is empty; pipe in a picture or a list of paths")
    else:
        yield from _from_list(data, excluded)


def _from_list(data: bytes, excluded: set[str]) -> Iterator[Item]:
    lines = data.split(b"\0") if b"\0" in data else [line.rstrip(b"\r") for line in data.split(b"\n")]
    # Two NULs in a row stand in nearly every binary file (HEIC, PDF, a film), and in no list of paths.
    if b"\0\0" in data or max(map(len, lines)) > 65_535:
        why = "standard input is neither a picture nor a list of paths; pipe in one of the two"
        yield _unusable(STDIN, why, ImageFormatError)
        return
    for line in lines:
        if line.strip():
            yield from _from_path(os.fsdecode(line), excluded)


def _file(path: str, status: os.stat_result, relative: PurePath) -> Item:
    return Item(
        key=absolute(path),
        name=path,
        source=Path(path),
        relative=relative,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
    )


def _unusable(given: str, why: str, kind: type[ImageError] = ImageError) -> Item:
    key = given if given == STDIN or "\0" in given else absolute(given)
    return Item(key=key, name=given, source=None, relative=PurePath("unusable"), error=kind(why))

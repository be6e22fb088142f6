"""From what a person names (files, folders, standard input) to a list of items."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from typing import BinaryIO

from mien.batch._left_out import LeftOut
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
    left_out: LeftOut | None = None,
    frames: bool = False,
) -> list[Item]:
    """Return one item for every picture and film that `inputs` name, in order, each once.

    A folder stands for the pictures and films in it and in its folders, sorted, those of a folder before
    those of its folders; hidden names, links to folders and what Mien drew are left out. "-" reads
    standard input: one picture when it starts as one, otherwise a list of paths, one a line or separated
    by NUL bytes. An input that cannot be used (no such file, a folder without pictures) becomes an item
    whose `error` says why, so that it is reported with the others and stops none of them.

    Args:
        inputs: paths of files and folders, or "-".
        stdin: read for "-"; the process's own standard input without it.
        left_out: is told which files of folders are passed over.
        frames: a folder is one film, and its pictures are the frames.
    """
    passed = LeftOut() if left_out is None else left_out
    items: dict[str, Item] = {}
    read_stdin = False
    for given in inputs:
        if os.fspath(given) == STDIN:
            found = iter(()) if read_stdin else _from_stdin(stdin or sys.stdin.buffer, passed)
            read_stdin = True
        else:
            found = _from_path(os.fspath(given), passed, frames)
        for item in found:
            items.setdefault(item.key, item)
    passed.drawn -= items.keys()
    return list(items.values())


def _from_path(given: str, passed: LeftOut, frames: bool = False) -> Iterator[Item]:
    try:
        status = Path(given).stat()
    except (OSError, ValueError) as error:
        yield _unusable(given, _why_missing(given, error))
        return
    if stat.S_ISDIR(status.st_mode):
        if frames:
            yield replace(_file(given, status, PurePath(Path(absolute(given)).name)), is_film=True)
        else:
            yield from _from_folder(given, passed)
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


def _from_folder(folder: str, passed: LeftOut) -> Iterator[Item]:
    from mien.core.formats import FILM_EXTENSIONS
    from mien.core.images import EXTENSIONS
    from mien.core.marks import is_drawn

    failures: list[OSError] = []
    empty, drawn = True, False
    for parent, folders, names in os.walk(folder, onerror=failures.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = str(Path(parent, name))
            if PurePath(name).suffix.lower() not in EXTENSIONS | FILM_EXTENSIONS:
                passed.others.add(absolute(path))
                continue
            try:
                status = Path(path).stat()
            except OSError as error:
                empty = False
                yield _unusable(path, _why_missing(path, error))
                continue
            if not stat.S_ISREG(status.st_mode):
                continue
            if is_drawn(path):
                drawn = True
                passed.drawn.add(absolute(path))
            else:
                empty = False
                yield _file(path, status, PurePath(os.path.relpath(path, folder)))
    for failure in failures:
        path = os.fsdecode(failure.filename)
        yield _unusable(path, f"folder {shown(path)} cannot be read: {reason(failure)}")
    if empty and not failures:
        if drawn:
            why = "has only what Mien drew; name the files to analyse them"
        else:
            known = " ".join(sorted(EXTENSIONS | FILM_EXTENSIONS))
            why = f"has no pictures and no films; Mien looks for {known}"
        yield _unusable(folder, f"folder {shown(folder)} {why}")


def _from_stdin(stream: BinaryIO, passed: LeftOut) -> Iterator[Item]:
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
        yield from _from_list(data, passed)


def _from_list(data: bytes, passed: LeftOut) -> Iterator[Item]:
    lines = data.split(b"\0") if b"\0" in data else [line.rstrip(b"\r") for line in data.split(b"\n")]
    # Two NULs in a row stand in nearly every binary file (HEIC, PDF, a film), and in no list of paths.
    if b"\0\0" in data or max(map(len, lines)) > 65_535:
        why = "standard input is neither a picture nor a list of paths; pipe in one of the two"
        yield _unusable(STDIN, why, ImageFormatError)
        return
    for line in lines:
        if line.strip():
            yield from _from_path(os.fsdecode(line), passed)


def _file(path: str, status: os.stat_result, relative: PurePath) -> Item:
    return Item(
        key=absolute(path),
        name=path,
        source=Path(path),
        relative=relative,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        is_film=_is_film(path),
    )


def _is_film(path: str) -> bool:
    """By the suffix; by the first bytes where that says nothing."""
    from mien.core.formats import FILM_EXTENSIONS, is_film
    from mien.core.images import EXTENSIONS

    suffix = PurePath(path).suffix.lower()
    if suffix in FILM_EXTENSIONS or suffix in EXTENSIONS:
        return suffix in FILM_EXTENSIONS
    try:
        with Path(path).open("rb") as file:
            return is_film(file.read(16))
    except OSError:
        return False


def _unusable(given: str, why: str, kind: type[ImageError] = ImageError) -> Item:
    key = given if given == STDIN or "\0" in given else absolute(given)
    return Item(key=key, name=given, source=None, relative=PurePath("unusable"), error=kind(why))

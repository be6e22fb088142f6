"""Unpacking archives from strangers: only plain files, only below the folder, only as large as allowed."""

from __future__ import annotations

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from mien.core.errors import DatasetError

MOST_FILES = 2_000_000
_CHUNK = 1 << 20
# Tables of pixels shrink to a quarter, pictures not at all; a bomb shrinks to a thousandth.
_MOST_GROWTH = 100
_FREE_BYTES = 64 << 20  # a growth this small harms nobody
_MOST_DEPTH = 32
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


class _Member(NamedTuple):
    name: str
    problem: str | None
    file: IO[bytes] | None


def is_archive(path: Path) -> bool:
    """Tell whether a file is a ZIP or TAR archive, whole or torn, by its content."""
    try:
        return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except _DAMAGED:
        return True  # compressed, and torn; unpacking it says so


def unpack(archive: Path, folder: Path, max_bytes: int) -> None:
    """Write the files of `archive` below `folder`; the caller removes them after an error.

    Raises:
        DatasetError: the archive is damaged, or holds what is refused.
    """
    allowed = min(max_bytes, max(_FREE_BYTES, _MOST_GROWTH * archive.stat().st_size))
    try:
        files = 0
        for member in _zipped(archive) if zipfile.is_zipfile(archive) else _tarred(archive):
            files += 1
            if files > MOST_FILES:
                raise DatasetError(f"the archive holds more than {MOST_FILES} files; it is refused")
            target = folder.joinpath(*_parts(member))
            if member.file is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.file as source:
                allowed -= _copy(source, target, allowed)
    except FileExistsError as error:
        raise DatasetError("the archive holds two files of the same name; it is refused") from error
    except (*_DAMAGED, RuntimeError, UnicodeError) as error:
        raise DatasetError(f"the archive is damaged: {str(error)[:200] or type(error).__name__}") from error


def _copy(source: IO[bytes], target: Path, allowed: int) -> int:
    """Count what really comes, because what an archive says of its sizes may be a lie."""
    done = 0
    with target.open("xb") as file:
        while piece := source.read(_CHUNK):
            done += len(piece)
            if done > allowed:
                raise DatasetError(
                    "the archive unpacks to far more than its size or the limit allows; it is refused"
                )
            file.write(piece)
    return done


def _parts(member: _Member) -> list[str]:
    """Return the folders and the file of a member's name, after a look at each."""
    name = member.name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    problem = member.problem
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        problem = "an absolute path"
    elif ".." in parts:
        problem = "a path that leads out of the folder"
    elif len(parts) > _MOST_DEPTH or any(ord(c) < 32 or c == ":" for c in name):
        problem = "a name that no data set needs"
    if problem is not None:
        raise DatasetError(f"the archive holds {problem}, {member.name[:200]!r}; it is refused")
    return parts


def _zipped(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            problem = None
            if info.flag_bits & 1:
                problem = "a file behind a password"
            elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                problem = "a link or device"
            plain = problem is None and not info.is_dir()
            yield _Member(info.filename, problem, opened.open(info) if plain else None)


def _tarred(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as opened:
        for info in opened:
            problem = None if info.isfile() or info.isdir() else "a link or device"
            yield _Member(info.name, problem, opened.extractfile(info) if info.isfile() else None)

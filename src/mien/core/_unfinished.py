"""Unfinished files: hidden names beside the finished ones, and their end where a process was killed."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what a killed process left stays there
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"\.mien-[0-9a-f]{16}(\..*)?", re.DOTALL)
_MOST_REMEMBERED = 4096
_tidied: set[str] = set()


def reserve(target: Path, make: Callable[[Path], object]) -> tuple[Path, int | None]:
    """Return a new hidden place beside `target`, made by `make`, and the lock that says it is in use.

    Where this process has not written into the folder before, what killed processes left there goes first.

    Raises:
        OSError: it cannot be made.
    """
    _tidy(target.parent)
    while True:
        # A short name of our own: the target's name may already be as long as the system allows.
        place = target.with_name(f".mien-{secrets.token_hex(8)}{target.suffix[:16]}")
        make(place)
        lock = _locked(place, wait=True)
        # Between the two another process may have taken it for a leftover.
        if os.path.lexists(place):
            return place, lock
        release(lock)


def release(lock: int | None) -> None:
    """Say that the place is not in use any more."""
    if lock is not None:
        os.close(lock)


def _tidy(folder: Path) -> None:
    """Remove what processes left unfinished in `folder` that do not run any more; once a process."""
    if fcntl is None or str(folder) in _tidied:
        return
    if len(_tidied) >= _MOST_REMEMBERED:
        _tidied.clear()
    _tidied.add(str(folder))
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in [entry for entry in entries if _NAME.fullmatch(entry.name)]:
            if entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False):
                _remove(Path(entry.path))


def _remove(place: Path) -> None:
    # The system lets go of a process's locks when it ends, however it ends.
    lock = _locked(place, wait=False)
    if lock is None:
        return
    try:
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            with suppress(OSError):
                place.unlink()
    finally:
        release(lock)


def _locked(place: Path, *, wait: bool) -> int | None:
    """Lock a file or folder; None where another process has it, or the file system has no locks."""
    if fcntl is None:
        return None
    try:
        access = os.O_RDONLY if place.is_dir() else os.O_RDWR  # network file systems want a file writable
        lock = os.open(place, access | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock

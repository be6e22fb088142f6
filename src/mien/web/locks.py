"""Locks between processes that use one data folder; a process that dies lets go of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.core.errors import OutputError
from mien.core.files import ensure_folder, refusal, shown


@contextmanager
def lock(folder: Path, name: str, *, shared: bool = False, wait: bool = True) -> Iterator[None]:
    """Hold the lock `name` of `folder` for the length of the block.

    Where the system or the file system has no such locks, the block runs without.

    Args:
        folder: made where missing.
        name: of the file that is locked; it stays there, empty.
        shared: many may hold it so at once, but none alone meanwhile.
        wait: for others to let go; without it their holding is an error.

    Raises:
        OutputError: another process holds the lock and `wait` is off, or the folder cannot be written.
    """
    ensure_folder(folder)
    path = folder / f"{name}.lock"
    try:
        file = path.open("ab")
    except OSError as error:
        raise refusal(path, error) from error
    with file:
        try:
            import fcntl

            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(f"{shown(folder)} is in use by another Mien; stop it first") from None
        except (ImportError, OSError):
            pass  # Windows, or a file system without locks
        yield

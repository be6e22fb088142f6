"""Files that appear whole or not at all: every writer of Mien goes through these functions."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from mien.core._unfinished import release, reserve
from mien.core.errors import OutputError

# Bytes of a file name that are not UTF-8 reach text as lone surrogates from U+DC80 to U+DCFF.
_SURROGATE = re.compile("[\ud800-\udfff]")


def valid_text(text: str) -> str:
    r"""Return `text` as valid Unicode: a byte that was not UTF-8 becomes `\xff`, as Python shows it."""
    return _SURROGATE.sub(_escaped, text)


def _escaped(surrogate: re.Match[str]) -> str:
    code = ord(surrogate[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def shown(path: str | os.PathLike[str]) -> str:
    """Return `path` in quotes for a message: one line, printable, whatever bytes the name has."""
    # As valid_text does it, but on what repr has escaped already.
    text = re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", repr(os.fspath(path)))
    return text if len(text) <= 300 else f"{text[:140]} … {text[-140:]}"


def reason(error: OSError) -> str:
    """Return why a file operation failed, without the path and number that Python adds."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def ensure_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder `path`, and those above it, where missing; return it.

    Raises:
        OutputError: the folder cannot be made, or is a file.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise OutputError(f"folder {shown(folder)} cannot be made: {why}; choose another place") from error
    return folder


def ensure_private_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder `path` where missing, for its owner only (0700), as for faces; return it.

    One that is there keeps its permissions.

    Raises:
        OutputError: the folder cannot be made, or is a file.
    """
    folder = Path(path)
    ensure_folder(folder.parent)
    with suppress(OSError):  # it is there, or the next line says why not
        folder.mkdir(mode=0o700)
    return ensure_folder(folder)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Find out before the work whether the folder `path` can be made; what was missing is missing after it.

    Raises:
        OutputError: the folder cannot be made, or is a file.
    """
    folder = Path(path)
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        ensure_folder(folder)
    finally:
        for place in missing:
            with suppress(OSError):  # it was not made, or another process uses it already
                place.rmdir()


def atomic_write(path: str | os.PathLike[str], data: bytes | str, *, private: bool = False) -> None:
    """Write `data` (text as UTF-8, line ends as they are) to `path`, all of it or nothing.

    A file that was there before stays as it was when writing fails. With `private` only its owner can read
    it (0600).

    Raises:
        OutputError: the folder is missing, full or read-only, or `path` is not a plain file.
    """
    # A file name that is not UTF-8 reaches text as lone surrogates; they are kept readable, not fatal.
    content = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    with atomic_path(path, private=private) as temporary:
        temporary.write_bytes(content)


@contextmanager
def atomic_path(path: str | os.PathLike[str], *, private: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`, with the same suffix; on success it becomes `path`.

    The block writes and closes the temporary file. It is then flushed to the disk and renamed over
    `path`. After any exception it is removed and `path` is as it was. What a killed process left goes when
    another one writes into the folder for the first time; a file that is being written stays. With
    `private` only the file's owner can read it (0600); otherwise it has the permissions of the one before.

    Raises:
        OutputError: the file cannot be written. An OSError of the block about the temporary file, such
            as a full disk, becomes an OutputError too; any other exception passes.
    """
    target, temporary, lock = _prepared(path, private)
    try:
        try:
            yield temporary
        except OSError as error:
            if not _is_about(error, temporary):
                raise
            raise refusal(path, error) from error
        _publish(path, temporary, target, private)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        release(lock)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty temporary folder beside `path`; on success it becomes `path`.

    After any exception it is removed with all that is in it, and nothing is at `path`.

    Raises:
        OutputError: there is something at `path` that is not an empty folder, or the folder or a file in
            it cannot be written; any other exception of the block passes.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise OutputError(f"{shown(path)} is there already; choose another place or remove it first")
        ensure_folder(target.parent)
        temporary, lock = reserve(target, Path.mkdir)
    except OSError as error:
        raise refusal(path, error) from error
    try:
        try:
            yield temporary
            if target.exists():
                target.rmdir()
            temporary.replace(target)
        except OSError as error:
            if error.filename is not None and not _is_inside(error.filename, temporary):
                raise
            raise refusal(path, error) from error
        _flush_folder(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        release(lock)


def _is_inside(name: str | bytes | os.PathLike[str], folder: Path) -> bool:
    return Path(os.fsdecode(name)).is_relative_to(folder)


def _prepared(path: str | os.PathLike[str], private: bool) -> tuple[Path, Path, int | None]:
    """Return the file to replace, links followed, a new empty file beside it, and the lock on that."""
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            kind = "a folder" if target.is_dir() else "not a plain file"
            raise OutputError(f"{shown(path)} is {kind}; give the name of a file to write")
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        temporary, lock = reserve(target, partial(_make_empty, mode=0o600 if private else 0o666))
    except OSError as error:
        folder = Path(path).parent
        if isinstance(error, FileNotFoundError) and not folder.is_dir():
            raise OutputError(
                f"{shown(path)} cannot be written: folder {shown(folder)} does not exist; make it first"
            ) from error
        raise refusal(path, error) from error
    except ValueError as error:
        raise OutputError(f"{shown(path)} cannot be a file name: {error}") from error
    return target, temporary, lock


def _make_empty(path: Path, mode: int) -> None:
    # os.open, unlike tempfile, gives the permissions that the user's umask asks for.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))


def _publish(path: str | os.PathLike[str], temporary: Path, target: Path, private: bool) -> None:
    try:
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        if target.exists() and not private:
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        raise refusal(path, error) from error
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    """Make the rename last through a power cut, where the system can (Windows cannot open folders)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_about(error: OSError, temporary: Path) -> bool:
    """Tell errors of writing the file from those of reading some other one in the same block.

    A failed write names no file; a failed open names the file it was for.
    """
    if isinstance(error, (ConnectionError, TimeoutError)):
        return False
    return error.filename is None or os.fspath(error.filename) == os.fspath(temporary)


def refusal(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """Return what to tell where `path` could not be written."""
    advice = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another place"
    return OutputError(f"{shown(path)} cannot be written: {reason(error)}; {advice}")

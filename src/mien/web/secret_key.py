"""The key that signs sessions: made once, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from mien.core.errors import OptionError, OutputError
from mien.core.files import ensure_folder, refusal, shown

_LEAST = 50


def secret_key(folder: Path) -> str:
    """Return the key kept in `folder`; the first process to ask makes it.

    Raises:
        OptionError: the file holds no key.
        OutputError: the key cannot be kept.
    """
    path = folder / "secret_key"
    if not path.exists():
        ensure_folder(folder)
        _make(path)
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"{shown(path)} cannot be read as a key; restore it, or remove it: all log in again"
        ) from error
    if len(key) < _LEAST:
        raise OptionError(f"{shown(path)} holds no key of {_LEAST} characters; remove it: all log in again")
    return key


def _make(path: Path) -> None:
    """Write a new key beside `path` and put it there, unless another process was first."""
    temporary = path.with_name(f".secret_key-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
    except OSError as error:
        raise OutputError(str(refusal(path, error))) from error
    finally:
        with suppress(OSError):
            temporary.unlink()

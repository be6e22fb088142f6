"""Bytes of a picture from a path, a buffer or an open file."""

from __future__ import annotations

import io
import os
import re
import stat
from pathlib import Path

from mien.core.errors import ImageError, ImageFormatError, ImageLimitError, OptionError
from mien.core.files import reason, shown
from mien.core.formats import check_format

# Two letters or more, so that a Windows drive is not a scheme; one slash is enough because Path("http://x")
# has lost the other.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/|data:", re.IGNORECASE)

_CHUNK = 1 << 20
_HEAD = 64


def read(source: object, subject: str, max_pixels: int) -> bytes:
    """Return the bytes of `source`; `subject` names it in messages.

    A file may have 16 bytes for each allowed pixel (twice 16-bit RGBA) and 32 MiB besides: enough for any
    real picture within the limit, and a bound on what is read of anything else.
    """
    most = 16 * max_pixels + (32 << 20)
    if isinstance(source, (str, os.PathLike)):
        return _read_path(os.fspath(source), subject, most)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _checked(bytes(source), subject, most)
    if callable(getattr(source, "read", None)):
        return _read_file(source, subject, most)
    raise OptionError(
        f"a picture cannot come from {type(source).__name__}; give a path, bytes, a binary file,"
        " a Pillow image or a NumPy array"
    )


def _read_path(path: str, subject: str, most: int) -> bytes:
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not path:
        raise ImageError("the path of the picture is empty; give the path of a file")
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise ImageError(f"{subject} is a folder; give the pictures in it")
        if not stat.S_ISREG(mode):
            # Opening a pipe would wait for ever, and a device has no end.
            raise ImageError(f"{subject} is not a plain file; give its bytes or the open file instead")
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
            check_format(head, subject)
            return _checked(head + file.read(most + 1 - len(head)), subject, most)
    except FileNotFoundError as error:
        _refuse_url(path)
        raise ImageError(f"there is no {subject}; check the path") from error
    except OSError as error:
        _refuse_url(path)
        raise ImageError(f"{subject} cannot be read: {reason(error)}") from error
    except ValueError as error:
        raise ImageError(f"{subject} cannot be a path: {error}") from error


def _refuse_url(path: str) -> None:
    if _URL.match(path):
        raise OptionError(f"{shown(path)} is a URL, which Mien never opens; download the picture first")


def _read_file(file: object, subject: str, most: int) -> bytes:
    """Read in steps, because a file without an end would otherwise fill the memory."""
    buffer = io.BytesIO()
    while buffer.tell() <= most:
        try:
            chunk = file.read(_CHUNK)  # type: ignore[attr-defined]
        except Exception as error:  # the file is the caller's, and may be of any class
            raise ImageError(f"{subject} cannot be read from the open file: {_why(error)}") from error
        if chunk is None:
            raise OptionError("the picture's file has nothing to read yet; give one that waits for its data")
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            what = "text" if isinstance(chunk, str) else type(chunk).__name__
            raise OptionError(f"the picture's file gives {what}, not bytes; open it with mode 'rb'")
        if not chunk:
            break
        buffer.write(chunk)
    data = buffer.getvalue()
    if not data:
        raise ImageFormatError(f"{subject} is empty, or its file was read to the end before; rewind it")
    return _checked(data, subject, most)


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return reason(error)
    detail = " ".join(str(error).split())
    return detail if isinstance(error, ValueError) else f"{type(error).__name__}: {detail}".rstrip(": ")


def _checked(data: bytes, subject: str, most: int) -> bytes:
    if len(data) > most:
        raise ImageLimitError(
            f"{subject} is a file of more than {most >> 20} MiB, too much for the allowed pixels;"
            " shrink it or raise max_pixels (--max-pixels)"
        )
    return data

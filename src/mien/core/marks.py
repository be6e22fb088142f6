"""The mark on pictures and films that Mien drew, so that nothing takes them for what it drew on."""

from __future__ import annotations

import os
import struct
from pathlib import Path

_SOFTWARE = b"Mien annotated\0"
# A TIFF with one entry: 0x0131, Software.
_TIFF = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0131, 2, len(_SOFTWARE), 26, 0) + _SOFTWARE

FILM_COMMENT = "Mien annotated"
"""Stands in the metadata of a film, which is at its end."""

EXIF = b"Exif\0\0" + _TIFF

# EXIF stands near the start of a JPEG or PNG and at the end of a WebP.
_REACH = 512


def is_drawn(path: str | os.PathLike[str]) -> bool:
    """Tell whether the file `path` has the mark of a drawn picture or film; only its ends are read.

    A file that cannot be read, or that another program has written since, has none.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_REACH)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _REACH))
            tail = file.read(_REACH)
            return (
                _TIFF in head
                or (head.startswith(b"RIFF") and _TIFF in tail)
                or (head[4:8] == b"ftyp" and FILM_COMMENT.encode() in tail)
            )
    except (OSError, ValueError):
        return False

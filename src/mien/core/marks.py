"""The mark on pictures that Mien drew, so that they are never taken for photos or photos for them."""

from __future__ import annotations

import os
import struct
from pathlib import Path

_SOFTWARE = b"Mien annotated\0"
# A TIFF with one entry: 0x0131, Software.
_TIFF = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0131, 2, len(_SOFTWARE), 26, 0) + _SOFTWARE

EXIF = b"Exif\0\0" + _TIFF

# EXIF stands near the start of a JPEG or PNG and at the end of a WebP.
_REACH = 512


def is_drawn(path: str | os.PathLike[str]) -> bool:
    """Tell whether the file `path` has the mark of `images.save(..., drawn=True)`; only its ends are read.

    A file that cannot be read, or that another program has written since, has none.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_REACH)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _REACH))
            return _TIFF in head or (head.startswith(b"RIFF") and _TIFF in file.read(_REACH))
    except (OSError, ValueError):
        return False

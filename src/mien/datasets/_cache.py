"""Arrays of data sets that were read before, in the user's cache folder: `KEY.npy` and `KEY.json`.

The JSON file is written last and holds the checksum of the pixels; whatever does not fit is read anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import OutputError
from mien.core.files import atomic_path, atomic_write, ensure_folder
from mien.datasets._items import Item

_FORM = 4  # changes when what is kept, or how it is read, does

_COLUMNS = ("place", "name", "label", "split", "group")


class Faces(NamedTuple):
    """What is kept.

    Attributes:
        images: uint8 (faces, height, width).
        items: what is known of each.
        sizes: int32 (faces, 2), width and height of each picture before it was resized.
    """

    images: NDArray[np.uint8]
    items: tuple[Item, ...]
    sizes: NDArray[np.int32]


def folder() -> Path:
    """Return the folder of the cache: in MIEN_DATA, or the platform's place. It may not exist yet."""
    if chosen := os.environ.get("MIEN_DATA"):
        return Path(chosen) / "cache" / "datasets"
    import platformdirs

    return platformdirs.user_cache_path("mien", appauthor=False) / "datasets"


def place(path: Path, files: Iterable[Path], options: str) -> Path:
    """Return where the arrays of `files` belong: a path without suffix.

    Its name begins with what stays the same (the data set and how it is read) and ends with what changes
    when a file does: names, sizes and times.
    """
    root = path.resolve()
    which = hashlib.sha256(f"{_FORM}\0{root}\0{options}".encode("utf-8", "surrogateescape"))
    state = hashlib.sha256()
    for file in files:
        name = os.path.join(file.parent, file.name)  # noqa: PTH118 - a Path would keep its text for good
        try:
            about = os.stat(name)  # noqa: PTH116
        except OSError:
            continue  # reading it says what is wrong
        state.update(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return folder() / f"{which.hexdigest()[:16]}-{state.hexdigest()[:32]}"


def read(place: Path, root: Path) -> Faces | None:
    """Return what is kept of the data at `root`, its pixels mapped; None where nothing sound is there."""
    try:
        index = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        # Copy-on-write: an array that may be written to, as all others, without changing the file.
        images = np.load(place.with_suffix(".npy"), mmap_mode="c", allow_pickle=False)
        columns = [index.pop(name) for name in _COLUMNS]
        folders = [None if name is None else root / name for name in index.pop("folders")]
        columns.append([folders[number] for number in index.pop("folder")])
        items = tuple(Item(*row) for row in zip(*columns, strict=True))
        del columns
        sizes = np.asarray(index["sizes"], np.int32)
        if images.dtype != np.uint8 or images.ndim != 3 or len(images) != len(items):
            return None
        if zlib.crc32(images.data) != index["crc32"]:
            return None
        # One size, as most data sets have, is written once and takes no memory.
        return Faces(np.asarray(images), items, np.broadcast_to(sizes, (len(items), 2)))
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError):
        return None


def write(place: Path, faces: Faces, root: Path) -> None:
    """Keep the arrays of the data at `root` for the next time, where that can be done."""
    try:
        ensure_folder(place.parent)
        _remove_older(place)
        with atomic_path(place.with_suffix(".npy")) as temporary, temporary.open("wb") as file:
            np.save(file, faces.images)
        sizes = faces.sizes[:1] if (faces.sizes == faces.sizes[:1]).all() else faces.sizes
        numbers = {path: n for n, path in enumerate(dict.fromkeys(item.folder for item in faces.items))}
        index = {
            "crc32": zlib.crc32(faces.images.data),
            # In columns: while they are read, a list for every face would weigh as much as its words.
            **{name: [getattr(item, name) for item in faces.items] for name in _COLUMNS},
            # Each folder once; a face has its number.
            "folders": [None if path is None else str(path.relative_to(root)) for path in numbers],
            "folder": [numbers[item.folder] for item in faces.items],
            "sizes": sizes.tolist(),
        }
        atomic_write(place.with_suffix(".json"), json.dumps(index))
    except (OutputError, OSError):
        return


def _remove_older(place: Path) -> None:
    """Remove what was kept of the same data set before its files changed."""
    which = place.name.split("-")[0]
    for file in place.parent.glob(f"{which}-*"):
        with suppress(OSError):  # another process may be using it
            file.unlink()

"""The figures of a report in its folder: those of an earlier report that this one lacks do not stay."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mien.core.files import atomic_write
from mien.figures import Plot

LIST = "figures.json"
_OURS = re.compile(r"[a-z0-9-]{1,80}\.(png|svg)")
_MOST_BYTES = 1_000_000


def save_figures(folder: Path, plots: Iterable[Plot]) -> None:
    """Write figures into a folder that is there, and remove those that an earlier report left.

    figures.json says which files they are, each with its SHA-256: only a file that it names and that is as
    it was written is removed, nothing of anybody else.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: a file cannot be written.
    """
    before = _listed(folder)
    files = [path for plot in plots for path in plot.save(folder)]
    written = {path.name: _digest(path) for path in files}
    for name, digest in before.items():
        if name not in written:
            with suppress(OSError):  # it is gone already, or cannot be removed, which harms no report
                _remove(folder / name, digest)
    atomic_write(folder / LIST, json.dumps(written, indent=2) + "\n")


def _listed(folder: Path) -> dict[str, str]:
    """What the earlier report says it wrote; the file may be anybody's."""
    try:
        with (folder / LIST).open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: digest for name, digest in pairs if _OURS.fullmatch(name) and isinstance(digest, str)}


def _remove(path: Path, digest: str) -> None:
    if path.is_file() and not path.is_symlink() and _digest(path) == digest:
        path.unlink()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

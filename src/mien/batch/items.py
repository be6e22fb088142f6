"""What goes in and what comes out: items and outcomes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from mien.core.errors import MienError

if TYPE_CHECKING:
    from mien.core.results import ImageAnalysis


@dataclass(frozen=True, slots=True)
class Item:
    """One input.

    Attributes:
        key: what a ledger knows the input by: its absolute path, or the SHA-256 of its bytes.
        name: what people call it: the path as it was given, or "-" for standard input.
        source: the path to read or the bytes of a picture; None where there is nothing to read.
        relative: where it lies inside the folder that was given; only its name for a single file.
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds; 0 for bytes.
        target: where its annotated picture goes, or None.
        error: why it cannot be read, where planning already found out.
    """

    key: str
    name: str
    source: Path | bytes | None
    relative: PurePath
    size: int = 0
    mtime_ns: int = 0
    target: Path | None = None
    error: MienError | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: an analysis or an error, never both.

    Attributes:
        item: the input.
        analysis: the result, with the item's name as its source; None where it failed.
        error: why it failed; None where it did not.
        repeated: the result comes from the ledger of an earlier run.
    """

    item: Item
    analysis: ImageAnalysis | None = None
    error: MienError | None = None
    repeated: bool = False

    def __post_init__(self) -> None:
        if (self.analysis is None) == (self.error is None):
            raise ValueError("an outcome is either an analysis or an error")


def absolute(path: str | os.PathLike[str]) -> str:
    """Return the absolute path without "..", links not followed: two links to one file are two inputs."""
    return os.path.abspath(path)  # noqa: PTH100

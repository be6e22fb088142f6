"""What goes in and what comes out: items and outcomes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from mien.core.errors import MienError

if TYPE_CHECKING:
    from mien.core.film_results import FilmSummary
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
        target: where its annotated picture, or what is found in a film, goes; or None.
        error: why it cannot be read, where planning already found out.
        is_film: a film, or a folder whose pictures are the frames of one.
        fills_folder: the target is a folder, whatever suffix its name seems to have.
    """

    key: str
    name: str
    source: Path | bytes | None
    relative: PurePath
    size: int = 0
    mtime_ns: int = 0
    target: Path | None = None
    error: MienError | None = None
    is_film: bool = False
    fills_folder: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: the analysis of a photo, the summary of a film, or an error; only one.

    Attributes:
        item: the input.
        analysis: the result of a photo, with the item's name as its source.
        film: the result of a film; what it is made of lies in the files of its target.
        error: why it failed; None where it did not.
        repeated: the result comes from the ledger of an earlier run.
        spared: nothing was written, because the film was left in the middle and its target holds the
            complete results of an earlier run.
    """

    item: Item
    analysis: ImageAnalysis | None = None
    error: MienError | None = None
    repeated: bool = False
    film: FilmSummary | None = None
    spared: bool = False

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.analysis, self.film, self.error)) != 1:
            raise ValueError("an outcome is an analysis, a film or an error, and only one of them")


def absolute(path: str | os.PathLike[str]) -> str:
    """Return the absolute path without "..", links not followed: two links to one file are two inputs."""
    return os.path.abspath(path)  # noqa: PTH100

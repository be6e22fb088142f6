"""A whole data set, split by split, and what about it deserves a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from mien.core.version import __version__
from mien.datasets._items import MixedSizesError
from mien.datasets.dataset import FaceDataset
from mien.datasets.describe import Description, describe
from mien.datasets.load import Progress, load_splits
from mien.datasets.splits import picture_keys

MIXED_SIDE = 48
"""To which faces that differ in size are resized, where no side is given."""

_RARE = 10.0  # times the faces of the rarest label


@dataclass(frozen=True, slots=True)
class DataDescription:
    """A data set, described split by split.

    Attributes:
        name: of the data set.
        splits: the numbers of each; "" is the name of the only one where there are none.
        shared: how many different pictures stand in each two splits; only those that share some.
    """

    name: str
    splits: Mapping[str, Description]
    shared: Mapping[tuple[str, str], int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, for JSON."""
        return {
            "mien": __version__,
            "data": self.name,
            "splits": [{"split": name, **found.to_dict()} for name, found in self.splits.items()],
            "shared": [{"splits": list(pair), "faces": n} for pair, n in self.shared.items()],
        }

    def notes(self) -> tuple[str, ...]:
        """Return what deserves a look before training or measuring on the data, a sentence each."""
        return tuple(_notes(self))


def describe_splits(name: str, splits: Mapping[str, FaceDataset]) -> DataDescription:
    """Return the numbers of every split of the data set `name`."""
    return DataDescription(name, {s: describe(faces) for s, faces in splits.items()}, _shared(splits))


def load_described(
    path: str | Path,
    *,
    side: int | None = None,
    labels: Sequence[str] | None = None,
    neutral: bool = False,
    cache: bool = True,
    on_progress: Progress = lambda done, total: None,
) -> dict[str, FaceDataset]:
    """Read as `load_splits` does, but take pictures that differ in size too, resized to MIXED_SIDE."""
    read = partial(load_splits, path, labels=labels, neutral=neutral, cache=cache, on_progress=on_progress)
    try:
        return read(side=side)
    except MixedSizesError:
        return read(side=MIXED_SIDE)


def _shared(splits: Mapping[str, FaceDataset]) -> dict[tuple[str, str], int]:
    """Return how many different pictures stand in each two splits that share some.

    Only exact copies count; `check` finds near ones too, and names them.
    """
    keys = {name: set(picture_keys(faces.images)) for name, faces in splits.items()}
    both = {(a, b): len(keys[a] & keys[b]) for a, b in combinations(keys, 2)}
    return {pair: n for pair, n in both.items() if n}


def _notes(found: DataDescription) -> list[str]:
    notes = []
    for (one, other), n in found.shared.items():
        notes.append(
            f"{_counted(n, 'picture')} of {one} also {'stands' if n == 1 else 'stand'} in {other}: a test on "
            "them is too easy; mien dataset check names them, mien dataset split keeps copies together"
        )
    for name, d in found.splits.items():
        where = f" in {name}" if name else ""
        if absent := [label for label, n in d.counts.items() if not n]:
            notes.append(f"no face of {', '.join(absent)}{where}")
        # Weighing labels is for training; a test is better left as the world is.
        if name in ("", "train") and d.imbalance is not None and d.imbalance >= _RARE:
            rarest = min((label for label, n in d.counts.items() if n), key=lambda label: d.counts[label])
            notes.append(
                f"{rarest} is rare{where}: the most frequent label has {d.imbalance:.0f} times its faces; "
                "--class-weights or --sampling balanced make up for it in training"
            )
        if d.copies:
            are = "is an exact copy" if d.copies == 1 else "are exact copies"
            notes.append(
                f"{_counted(d.copies, 'face')}{where} {are} of another one; mien dataset check names them"
            )
        if d.sizes is not None and len(d.sizes) > 1:
            notes.append(
                f"faces{where} have {len(d.sizes)} sizes; here they were resized to {d.width}×{d.height}"
            )
    return notes


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"

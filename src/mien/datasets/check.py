"""What is wrong with a data set: files, sizes, copies and labels that contradict each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import MienError
from mien.core.files import shown
from mien.datasets._items import Item
from mien.datasets._similar import SIDE, near_pairs
from mien.datasets.load import recognise, squared


@dataclass(frozen=True, slots=True)
class Copies:
    """Faces that are the same picture, or nearly.

    Attributes:
        kind: "exact" or "near".
        where: the file of each, or its table and line.
        labels: the emotion of each, "" where that is not known.
        splits: the split of each, "" where there are none.
    """

    kind: str
    where: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]

    @property
    def across_splits(self) -> bool:
        """Whether they stand in more than one split, which makes a test easier than it should be."""
        return len(set(self.splits)) > 1

    @property
    def conflicting(self) -> bool:
        """Whether they have different emotions."""
        return len(set(self.labels)) > 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, for JSON."""
        return {
            "kind": self.kind,
            "across_splits": self.across_splits,
            "conflicting": self.conflicting,
            "faces": [
                {"where": where, "label": label, "split": split}
                for where, label, split in zip(self.where, self.labels, self.splits, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found.

    Attributes:
        source: the data set.
        kind: its form.
        faces: how many could be read.
        unreadable: where and why, of the others.
        sizes: how many faces have each (width, height), the most frequent first.
        wrong_size: where, and which size, of faces that have not the expected one.
        copies: exact ones first.
        faults: what is wrong with whole folders and tables, in words.
    """

    source: str
    kind: str
    faces: int
    unreadable: tuple[tuple[str, str], ...]
    sizes: dict[tuple[int, int], int]
    wrong_size: tuple[tuple[str, tuple[int, int]], ...]
    copies: tuple[Copies, ...]
    faults: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.faults or self.unreadable or self.wrong_size or self.copies)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, for JSON."""
        return {
            "source": self.source,
            "kind": self.kind,
            "faces": self.faces,
            "sound": self.sound,
            "faults": list(self.faults),
            "unreadable": [{"where": where, "why": why} for where, why in self.unreadable],
            "sizes": {f"{w}x{h}": count for (w, h), count in self.sizes.items()},
            "wrong_size": [{"where": where, "width": w, "height": h} for where, (w, h) in self.wrong_size],
            "copies": [group.to_dict() for group in self.copies],
        }


def check(
    path: str | Path,
    *,
    side: int | None = None,
    own: tuple[str, ...] = (),
    near: bool = True,
    progress: Callable[[int], None] = lambda done: None,
) -> CheckReport:
    """Read every face at `path`, whatever is wrong with some, and say what is wrong.

    Args:
        path: in any form that `load_dataset` reads.
        side: the size that faces should have; without it the most frequent one.
        own: labels besides the known emotions.
        near: look for near copies too: another size, brightness or compression of the same picture.
        progress: called with the number of faces read.

    Raises:
        DatasetError: nothing that Mien knows is at `path`.
    """
    root = Path(path)
    faults: list[str] = []
    source = recognise(root, own=own, on_fault=lambda fault: faults.append(str(fault)))
    items: list[Item] = []
    keys: list[bytes] = []
    shapes: list[tuple[int, int]] = []
    small, unreadable = bytearray(), []
    for number, (item, pixels) in enumerate(source.faces(), 1):
        if isinstance(pixels, MienError):
            unreadable.append((item.where, _with_place(item.where, str(pixels))))
        else:
            items.append(item)
            shapes.append((pixels.shape[1], pixels.shape[0]))
            keys.append(blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest())
            small += squared(pixels, SIDE).data
        progress(number)
    if not (items or unreadable or faults):
        faults.append(f"{shown(root)} holds no faces")
    sizes = dict(Counter(shapes).most_common())
    expected = (side, side) if side is not None else next(iter(sizes), None)
    exact, different = _exact(items, keys, shapes)
    pictures = np.frombuffer(small, np.uint8).reshape(len(items), SIDE, SIDE)
    return CheckReport(
        source=root.resolve().name,
        kind=source.kind,
        faces=len(items),
        unreadable=tuple(unreadable),
        sizes=sizes,
        wrong_size=tuple(
            (item.where, shape) for item, shape in zip(items, shapes, strict=True) if shape != expected
        ),
        copies=(*exact, *(_near(items, pictures, different) if near else ())),
        faults=tuple(faults),
    )


def _with_place(where: str, why: str) -> str:
    return why if where in why else f"{where}: {why}"


def _exact(
    items: Sequence[Item], keys: Sequence[bytes], shapes: Sequence[tuple[int, int]]
) -> tuple[list[Copies], NDArray[np.int64]]:
    """Return the exact copies, and the index of the first face of each different picture."""
    groups: dict[tuple[bytes, tuple[int, int]], list[int]] = defaultdict(list)
    for index, key in enumerate(zip(keys, shapes, strict=True)):
        groups[key].append(index)
    copies = [_copies("exact", items, group) for group in groups.values() if len(group) > 1]
    return copies, np.array([group[0] for group in groups.values()], dtype=np.int64)


def _near(items: Sequence[Item], pictures: NDArray[np.uint8], different: NDArray[np.int64]) -> list[Copies]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = near_pairs(pictures[different])
    shape = (len(different), len(different))
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
    _, numbers = connected_components(links, directed=False)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in np.unique(pairs):
        groups[int(numbers[index])].append(int(different[index]))
    return [_copies("near", items, group) for group in groups.values()]


def _copies(kind: str, items: Sequence[Item], group: Sequence[int]) -> Copies:
    chosen = [items[i] for i in group]
    return Copies(
        kind,
        tuple(item.where for item in chosen),
        tuple(item.label or "" for item in chosen),
        tuple(item.split for item in chosen),
    )

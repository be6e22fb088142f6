"""One face before it is read: where it is, what it is called, and whose it is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core import images
from mien.core.emotions import Emotion, parse_emotion
from mien.core.errors import DatasetError, MienError
from mien.core.files import shown

Pixels: TypeAlias = NDArray[np.uint8]

_MOST_WRAPPERS = 4
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
    "public-test": ("publictest", "public-test", "public"),
    "private-test": ("privatetest", "private-test", "private"),
}
_SPLIT_BY_WORD = {word: split for split, words in _SPLITS.items() for word in words}
SPLITS: tuple[str, ...] = tuple(_SPLITS)
"""Names of splits in their order; "test" stands for the public and the private one together as well."""

# CK+: S010_004_00000017.png is of person S010; JAFFE: KA.AN1.39.tiff is of person KA.
_CK_NAME = re.compile(r"(S\d{3})_\d{3}_\d{8}\b")
_JAFFE_NAME = re.compile(r"([A-Z]{2})\.(?:AN|DI|FE|HA|NE|SA|SU)\d\.\d+\b")


class Item(NamedTuple):
    """A face before it is read.

    Attributes:
        place: the table and its line, "" for a file.
        name: of the file, or made of the table's name and the row's number.
        label: its emotion, None where that is not known.
        split: one of SPLITS, or "" where there are none.
        group: who it is, "" where that is not known.
        folder: where the picture's file is, which is called `name`; None in a table.
    """

    place: str
    name: str
    label: str | None
    split: str = ""
    group: str = ""
    folder: Path | None = None

    @property
    def path(self) -> Path | None:
        """The picture's file, None in a table; made when asked for, as tens of thousands weigh much."""
        return None if self.folder is None else self.folder / self.name

    @property
    def where(self) -> str:
        """The file, or the table and its line, for messages."""
        return self.place if self.path is None else shown(self.path)


class Source(Protocol):
    """Labelled faces in one of the forms that Mien reads."""

    @property
    def kind(self) -> str:
        """Name of the form, for people."""

    @property
    def files(self) -> Iterable[Path]:
        """Every file that the faces come from; the cache is made anew when one of them changes."""

    def faces(self) -> Iterator[tuple[Item, Pixels | MienError]]:
        """Yield every face, grey, or why it cannot be read."""


class Pictures:
    """Faces that are one file each."""

    def __init__(self, kind: str, items: Iterable[Item]) -> None:
        self.kind = kind
        self.items = tuple(items)

    @property
    def files(self) -> Iterable[Path]:
        """The pictures."""
        return (item.folder / item.name for item in self.items if item.folder is not None)

    def faces(self) -> Iterator[tuple[Item, Pixels | MienError]]:
        """Read one picture after the other."""
        for item, path in zip(self.items, self.files, strict=True):
            yield item, read_grey(path)


class UnknownLabelError(DatasetError):
    """A row's label names no emotion; the reader collects them to list them all."""

    def __init__(self, label: str) -> None:
        super().__init__(f"{label!r} names no known emotion")
        self.label = label


class MixedSizesError(DatasetError):
    """Faces that have to have one size differ in it."""


OnFault: TypeAlias = Callable[[DatasetError], None]
"""What to do about something wrong with a whole folder or table: raise it, or note it and go on."""


def raise_fault(fault: DatasetError) -> None:
    """Stop at the first one, as every reader does but the one of `check`."""
    raise fault


def read_grey(path: Path) -> Pixels | MienError:
    """Return the picture as grey uint8 (height, width), or why it cannot be read."""
    try:
        return np.asarray(cv2.cvtColor(images.load(path), cv2.COLOR_RGB2GRAY), np.uint8)
    except MienError as error:
        return error


def unwrapped(root: Path, own: tuple[str, ...] = ()) -> Path:
    """Return the folder that holds the data where archives put it below folders of their own.

    A folder is passed where it holds nothing but one folder, whose name says neither emotion nor split.
    """
    for _ in range(_MOST_WRAPPERS):
        inside = [p for p in root.iterdir() if not p.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir():
            break
        if parse_label(inside[0].name, own) or parse_split(inside[0].name):
            break
        root = inside[0]
    return root


def parse_split(word: str) -> str | None:
    """Return the split that a folder or a table calls `word`, or None."""
    return _SPLIT_BY_WORD.get(word.strip().lower())


def belongs(split: str, wanted: str) -> bool:
    """Tell whether the faces of `split` are asked for by `wanted`: "test" takes every kind of test."""
    return split == wanted or (wanted == "test" and split.endswith("-test"))


def parse_label(word: str, own: tuple[str, ...] = ()) -> str | None:
    """Return the known emotion, or the label of one's own, that `word` names, or None."""
    emotion = parse_emotion(word)
    if emotion is not None:
        return str(emotion)
    return next((label for label in own if label.casefold() == word.strip().casefold()), None)


def ordered(labels: Iterable[str], own: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the different labels in the default order, contempt and labels of one's own last."""
    found = set(labels)
    known = [str(emotion) for emotion in Emotion]
    order = [*known, *(label for label in own if label not in known)]
    return tuple(label for label in order if label in found)


def person(name: str) -> str:
    """Return who is on the picture, where CK+'s or JAFFE's file name says so, or ""."""
    match = _CK_NAME.match(name) or _JAFFE_NAME.match(name)
    return match[1] if match else ""


def is_jaffe_name(name: str) -> bool:
    """Tell whether a file is called as those of JAFFE are."""
    return _JAFFE_NAME.match(name) is not None


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures that lie in `folder` itself, by name."""
    return [folder / name for name in names_in(folder)]


def names_in(folder: Path) -> list[str]:
    """Return the names of the pictures that lie in `folder` itself, sorted."""
    # Names as text: sorting and asking tens of thousands of Path objects takes seconds.
    suffixes = tuple(images.EXTENSIONS)
    names = sorted(os.listdir(folder))  # noqa: PTH208
    return [n for n in names if n.lower().endswith(suffixes) and not n.startswith(".")]


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in `folder` by name, without hidden ones and what archivers of macOS add."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__MACOSX")))

"""The one way in: any form of labelled faces, recognised and read into arrays."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError, MienError, OptionError
from mien.core.files import reason, shown
from mien.core.given import given_labels, given_path
from mien.datasets import _cache, folder, posed, table
from mien.datasets._items import (
    SPLITS,
    Item,
    MixedSizesError,
    OnFault,
    Pictures,
    Pixels,
    Source,
    UnknownLabelError,
    belongs,
    folders_in,
    ordered,
    parse_split,
    pictures_in,
    raise_fault,
    unwrapped,
)
from mien.datasets.dataset import FaceDataset

Progress: TypeAlias = Callable[[int, int], None]

TRAINING_SPLITS = ("train", "validation")


def load_dataset(
    path: str | Path,
    split: str | None = None,
    *,
    default: str | None = None,
    side: int | None = None,
    labels: Sequence[str] | None = None,
    neutral: bool = False,
    labelled: bool = True,
    cache: bool = True,
    on_progress: Progress = lambda done, total: None,
) -> FaceDataset:
    """Read labelled faces in any form that Mien knows.

    The forms: a folder with one folder of pictures an emotion, below train/, validation/ and test/ or not;
    a CSV table of FER2013's kind, or a folder with train.csv and test_with_emotions.csv; CK+ and JAFFE as
    they are distributed. Emotions are understood in any spelling and language that Mien knows.

    The arrays are kept in the user's cache folder and mapped into memory, so that the next call is
    immediate; a file that was changed, added or removed since makes them anew.

    Args:
        path: the folder or file.
        split: "train", "validation" or "test", which takes FER2013's public and private test together;
            "public-test" or "private-test"; None is everything.
        default: the split to take where there are several and `split` is None.
        side: resize every face to this many pixels a side, averaging areas; a picture that is not square
            loses its longer side's ends. Without it pictures of different sizes are refused.
        labels: take these only, in this order; they may be labels of your own besides the known emotions.
        neutral: of CK+, take the first frame of each sequence as neutral too.
        labelled: refuse faces whose emotion is not known; False takes them, without labels.
        cache: keep the arrays, and use those that are kept.
        on_progress: called after each face that is read from its own file or row, with the faces read and
            how many there are (one more than are read, where that is not known, as in a table); never where
            the arrays were kept.

    Raises:
        DatasetError: nothing is at `path`, it has no form that Mien knows, a label is unknown, a row or a
            size is wrong (the place is named), or there is no such split.
        ImageError: a picture cannot be read.
        OptionError: `path` or `labels` are of another kind, or `split` or `side` has a value that is none.
    """
    whole = _load(_given(path), _Options(side, neutral, _own(labels), cache), on_progress)
    if split is None and len(whole.splits()) > 1:
        split = default
    chosen = _choose(whole, split, labelled)
    return chosen if labels is None else chosen.with_labels(labels, in_place=True)


def load_training(
    path: str | Path,
    *,
    labels: Sequence[str] | None = None,
    on_progress: Progress = lambda done, total: None,
) -> FaceDataset:
    """Read the faces to train on: the training split, or all where there are no splits.

    Where there is a validation split beside the training split, its faces come too, marked as `apart`: the
    epoch, the temperature and the threshold are chosen on them. Both are views of what is read, not copies.
    Arguments and errors are those of `load_dataset`.
    """
    whole = _load(Path(path), _Options(None, neutral=False, own=_own(labels), cache=True), on_progress)
    if not {*TRAINING_SPLITS} <= {*whole.labelled_splits()}:
        found = _choose(whole, "train" if len(whole.splits()) > 1 else None, labelled=True)
    else:
        wanted = [item.split in TRAINING_SPLITS and item.label is not None for item in whole.items]
        faces = _taken(whole.faces, np.array(wanted))
        name = f"{_name(whole.path)}/{TRAINING_SPLITS[0]}"
        apart = np.array([item.split == TRAINING_SPLITS[1] for item in faces.items])
        found = replace(_dataset(whole, faces, name, labelled=True), apart=apart)
    return found if labels is None else found.with_labels(labels, in_place=True)


def load_splits(
    path: str | Path,
    *,
    side: int | None = None,
    labels: Sequence[str] | None = None,
    neutral: bool = False,
    cache: bool = True,
    on_progress: Progress = lambda done, total: None,
) -> dict[str, FaceDataset]:
    """Read every split of labelled faces: `{split: faces}` in the order of SPLITS, or `{"": all}`.

    Arguments and errors are those of `load_dataset`; a split without emotions is left out.
    """
    whole = _load(_given(path), _Options(side, neutral, _own(labels), cache), on_progress)
    found = {split: _choose(whole, split or None, labelled=True) for split in whole.labelled_splits()}
    if not found:
        raise _no_emotions(whole)
    return found if labels is None else {name: faces.with_labels(labels) for name, faces in found.items()}


def read_folder(folder: str | Path) -> FaceDataset:
    """Read `folder/<emotion>/<picture>` without the cache; `load_dataset` reads this and other forms."""
    return load_dataset(folder, cache=False)


def recognise(
    path: Path,
    *,
    own: tuple[str, ...] = (),
    neutral: bool = False,
    least: int = 2,
    on_fault: OnFault = raise_fault,
) -> Source:
    """Return what lies at `path` in the form that it has, listed and not read.

    An image folder has to have `least` emotions. With an `on_fault` that does not raise, what is sound of a
    faulty image folder or table is listed, and a table's faces may differ in size.

    Raises:
        DatasetError: nothing is there, or nothing that Mien knows.
    """
    if path.is_file():
        if path.suffix.lower() != ".csv":
            raise DatasetError(f"{shown(path)} is no data set; give a folder of pictures or a CSV table")
        return table.Tables((path,), own, on_fault)
    if not path.is_dir():
        raise DatasetError(f"data folder {shown(path)} does not exist; check the path")
    try:
        return _recognise_folder(path, own, neutral, least, on_fault)
    except OSError as error:
        raise DatasetError(f"data folder {shown(path)} cannot be read: {reason(error)}") from error


def _recognise_folder(
    path: Path, own: tuple[str, ...], neutral: bool, least: int, on_fault: OnFault
) -> Source:
    path = unwrapped(path, own)
    if (found := posed.find_ckplus(path)) is not None:
        return posed.list_ckplus(*found, neutral=neutral)
    if posed.is_jaffe(path):
        return posed.list_jaffe(path)
    if not folders_in(path):
        if tables := table.find_tables(path):
            return table.Tables(tables, own, on_fault)
        if pictures_in(path):
            return folder.list_plain(path)
    return folder.list_folder(path, own, least, on_fault)


@dataclass(frozen=True, slots=True)
class _Options:
    side: int | None
    neutral: bool
    own: tuple[str, ...]
    cache: bool

    def __post_init__(self) -> None:
        if self.side is not None and not (isinstance(self.side, int) and 8 <= self.side <= 1024):
            raise OptionError(f"side has to be between 8 and 1024 pixels, not {self.side!r}")


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """Everything at one path: pixels, and what is known of each face."""

    path: Path
    faces: _cache.Faces
    own: tuple[str, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.faces.items

    def splits(self) -> tuple[str, ...]:
        found = {item.split for item in self.items}
        return tuple(split for split in ("", *SPLITS) if split in found)

    def labelled_splits(self) -> tuple[str, ...]:
        labelled = {item.split for item in self.items if item.label is not None}
        return tuple(split for split in self.splits() if split in labelled)


def _given(path: str | Path) -> Path:
    return given_path("path", path, "the path of a data set: a folder of pictures or a CSV table")


def _own(labels: Sequence[str] | None) -> tuple[str, ...]:
    """One's own words stay as they are written: they are those of the files."""
    if labels is not None:
        given_labels(labels)
    return tuple(label.strip() for label in labels or () if label.strip())


def _load(path: Path, options: _Options, on_progress: Progress) -> _Whole:
    if not options.cache:
        return _Whole(path, _read(_source(path, options), path, options.side, on_progress), options.own)
    # Listed twice where nothing is kept, so that no listing of tens of thousands of files, which weighs half
    # as much as small faces do, stands in memory beside the pixels where something is.
    wanted = repr((options.side, options.neutral, options.own))
    place = _cache.place(path, _source(path, options).files, wanted)
    kept = _cache.read(place, path)
    if kept is None:
        kept = _read(_source(path, options), path, options.side, on_progress)
        _cache.write(place, kept, path)
    return _Whole(path, kept, options.own)


def _source(path: Path, options: _Options) -> Source:
    return recognise(path, own=options.own, neutral=options.neutral)


def _read(source: Source, path: Path, side: int | None, on_progress: Progress) -> _cache.Faces:
    """Read all faces into one array; no more than an eighth above their own size is taken for it."""
    buffer, items, before = bytearray(), [], array("i")
    sizes: Counter[tuple[int, ...]] = Counter()
    total = len(source.items) if isinstance(source, Pictures) else None
    for item, pixels in _sound_faces(source, path):
        face = pixels if side is None else squared(pixels, side)
        sizes[face.shape] += 1
        items.append(item)
        before.extend(pixels.shape[::-1])
        if len(sizes) == 1:
            buffer += face.data
        on_progress(len(items), total or len(items) + 1)
    if not items:
        raise DatasetError(f"{shown(path)} holds no faces")
    if len(sizes) > 1:
        listed = ", ".join(f"{s[1]}×{s[0]} ({n})" for s, n in sizes.most_common(5))
        more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
        raise MixedSizesError(
            f"pictures in {shown(path)} differ in size: {listed}{more}; resize them "
            "with a side (in Python side=48, else `mien dataset convert --side 48`), or cut the faces out of "
            "photos with `mien dataset faces`"
        )
    (height, width) = next(iter(sizes))
    images = np.frombuffer(buffer, np.uint8).reshape(len(items), height, width)
    return _cache.Faces(images, tuple(items), np.array(before, np.int32).reshape(-1, 2))


def _sound_faces(source: Source, path: Path) -> Iterator[tuple[Item, Pixels]]:
    """Yield the faces; raise what is wrong with one at once, but unknown labels all together at the end."""
    unknown: dict[str, str] = {}
    for item, pixels in source.faces():
        if isinstance(pixels, UnknownLabelError):
            unknown.setdefault(pixels.label, item.where)
        elif isinstance(pixels, MienError):
            raise pixels
        else:
            yield item, pixels
    if unknown:
        names = ", ".join(repr(label) for label in sorted(unknown)[:20])
        raise DatasetError(
            f"{shown(path)} has labels that name no known emotion: {names} (first in "
            f"{next(iter(unknown.values()))}); correct them, or give your own labels (labels=, --labels)"
        )


def squared(face: Pixels, side: int) -> Pixels:
    """Return the middle square of `face` at `side` × `side`, areas averaged where it shrinks."""
    height, width = face.shape
    if height != width:
        edge = min(height, width)
        top, left = (height - edge) // 2, (width - edge) // 2
        face = np.ascontiguousarray(face[top : top + edge, left : left + edge])
    if face.shape[0] == side:
        return face
    how = cv2.INTER_AREA if face.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(face, (side, side), interpolation=how), np.uint8)


def _choose(whole: _Whole, wanted: str | None, labelled: bool) -> FaceDataset:
    faces, items, name = whole.faces, whole.items, _name(whole.path)
    if wanted is not None:
        split = parse_split(wanted) if isinstance(wanted, str) else None
        if split is None:
            raise OptionError(f"unknown split {wanted!r}; choose one of {', '.join(SPLITS)}")
        chosen = np.array([belongs(item.split, split) for item in items], dtype=bool)
        if not chosen.any():
            there = ", ".join(filter(None, whole.splits())) or "none"
            raise DatasetError(f"{shown(whole.path)} has no split {split!r}; it has {there}")
        faces = _taken(faces, chosen)
        name = f"{name}/{split}"
    elif labelled and any(item.label is not None for item in items):
        # A table without emotions beside one with them, as R4's test.csv, is for predicting only.
        faces = _taken(faces, np.array([item.label is not None for item in items]))
    return _dataset(whole, faces, name, labelled)


def _name(path: Path) -> str:
    """Name a data set for cards and figures: "faces", but "fer2013/test"; a split says nothing alone."""
    whole = path.resolve()
    return f"{whole.parent.name}/{whole.name}" if parse_split(whole.name) else whole.name


def _taken(faces: _cache.Faces, chosen: NDArray[np.bool_]) -> _cache.Faces:
    """Take the chosen faces; without a copy where they stand together."""
    where = np.flatnonzero(chosen)
    first, last = int(where[0]), int(where[-1]) + 1
    if last - first == len(where):
        taken = slice(first, last)
        return _cache.Faces(faces.images[taken], faces.items[taken], faces.sizes[taken])
    return _cache.Faces(faces.images[where], tuple(faces.items[i] for i in where), faces.sizes[where])


def _dataset(whole: _Whole, faces: _cache.Faces, name: str, labelled: bool) -> FaceDataset:
    # All splits number the labels alike, whether each of them has every label or not.
    labels = ordered((item.label for item in whole.items if item.label is not None), whole.own)
    items = faces.items
    unknown = any(item.label is None for item in items)
    if unknown and labelled:
        raise _no_emotions(whole)
    if labelled and len(labels) < 2:
        raise DatasetError(f"{shown(whole.path)} has one emotion only, {labels[0]}; two or more are needed")
    labels = () if unknown else labels
    number = {label: i for i, label in enumerate(labels)}
    people = tuple(item.group for item in items)
    return FaceDataset(
        images=faces.images,
        targets=np.array([number.get(item.label or "", -1) for item in items], dtype=np.int64),
        labels=labels,
        names=tuple(item.name for item in items),
        source=name,
        groups=people if any(people) else None,
        sizes=faces.sizes,
        folders=_folders(items, whole.path),
    )


def _folders(items: Sequence[Item], root: Path) -> tuple[str, ...] | None:
    """Return the folder of each picture below `root`, each text once in memory; None for rows of tables."""
    places = {folder: folder.relative_to(root).as_posix() for item in items if (folder := item.folder)}
    words = {folder: "" if place == "." else place for folder, place in places.items()}
    return tuple(words[item.folder] if item.folder else "" for item in items) if words else None


def _no_emotions(whole: _Whole) -> DatasetError:
    return DatasetError(
        f"{shown(whole.path)} says no emotions; faces without them can be predicted, not learnt from or "
        "measured on"
    )


def list_pictures(path: Path) -> Pictures | None:
    """Return the pictures of a data set that is made of files, None for tables; errors as in `recognise`."""
    source = recognise(path)
    return source if isinstance(source, Pictures) else None

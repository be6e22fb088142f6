"""Image folders: one folder an emotion, in any spelling Mien knows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mien.core import images
from mien.core.emotions import DEFAULT_LABELS, parse_emotion
from mien.core.errors import DatasetError
from mien.core.files import reason
from mien.datasets.dataset import FaceDataset

# Names of splits say nothing without the data set that they are a part of.
_SPLITS = frozenset({"train", "training", "validation", "valid", "val", "test"})


def read_folder(folder: str | Path) -> FaceDataset:
    """Read `folder/<emotion>/<picture>`; the labels are the emotions found, in the default order.

    Args:
        folder: holds one folder an emotion; names and aliases ("happiness", "Furie") are understood.

    Raises:
        DatasetError: the folder is missing, empty or cannot be read, a name is not a known emotion, an
            emotion has no pictures, or pictures differ in size.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(f"data folder {str(root)!r} does not exist")
    try:
        files = _files_by_label(root)
    except OSError as error:
        raise DatasetError(f"data folder {str(root)!r} cannot be read: {reason(error)}") from error
    labels = tuple(files)
    pictures, targets, names = [], [], []
    for index, label in enumerate(labels):
        for path in files[label]:
            pictures.append(cv2.cvtColor(images.load(path), cv2.COLOR_RGB2GRAY))
            targets.append(index)
            names.append(path.name)
    return FaceDataset(
        images=_stacked(pictures, names, root),
        targets=np.array(targets, dtype=np.int64),
        labels=labels,
        names=tuple(names),
        source=_name(root),
    )


def _name(root: Path) -> str:
    """Name a folder for cards and figures: "faces", but "fer2013/test"."""
    whole = root.resolve()
    return f"{whole.parent.name}/{whole.name}" if whole.name.lower() in _SPLITS else whole.name


def _files_by_label(root: Path) -> dict[str, list[Path]]:
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    known = {folder: parse_emotion(folder.name) for folder in folders}
    if unknown := [folder.name for folder, emotion in known.items() if emotion is None]:
        raise DatasetError(f"{str(root)!r} holds folders that name no known emotion: {', '.join(unknown)}")
    if len(set(known.values())) != len(known):
        raise DatasetError(f"{str(root)!r} holds two folders for the same emotion")
    if len(known) < 2:
        raise DatasetError(f"{str(root)!r} needs folders of two or more emotions, such as {DEFAULT_LABELS}")
    order = [*DEFAULT_LABELS, "contempt"]
    files = {
        str(emotion): sorted(p for p in folder.iterdir() if p.suffix.lower() in images.EXTENSIONS)
        for folder, emotion in sorted(known.items(), key=lambda item: order.index(str(item[1])))
    }
    if empty := [label for label, paths in files.items() if not paths]:
        raise DatasetError(f"{str(root)!r} has no pictures for {', '.join(empty)}")
    return files


def _stacked(pictures: list[np.ndarray], names: list[str], root: Path) -> np.ndarray:
    first = pictures[0].shape
    for picture, name in zip(pictures, names, strict=True):
        if picture.shape != first:
            raise DatasetError(
                f"pictures in {str(root)!r} differ in size: {names[0]!r} is {first[1]}×{first[0]}, "
                f"{name!r} is {picture.shape[1]}×{picture.shape[0]}"
            )
    return np.stack(pictures)

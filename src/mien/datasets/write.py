"""Data sets out: folders of pictures, tables, and new splits of what there is."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError
from mien.core.files import atomic_folder, atomic_path, ensure_folder
from mien.datasets._items import Item
from mien.datasets.dataset import FaceDataset
from mien.datasets.load import list_pictures, load_dataset
from mien.datasets.splits import split_mask
from mien.datasets.table import CODES

_USAGES = {
    "": "",
    "train": "Training",
    "validation": "Validation",
    "test": "Test",
    "public-test": "PublicTest",
    "private-test": "PrivateTest",
}


def write_folder(parts: Mapping[str, FaceDataset], output: str | Path) -> None:
    """Write `output/<split>/<emotion>/<name>.png`, without the split where it is "", whole or not at all.

    Raises:
        OutputError: `output` is there already, or cannot be written.
    """
    with atomic_folder(output) as root:
        for split, faces in parts.items():
            names = Names()
            for image, target, name in zip(faces.images, faces.targets, faces.names, strict=True):
                folder = root / split / (faces.labels[target] if faces.labels else "")
                write_png(image, names.new(folder, Path(name).stem, ".png"))


def write_table(parts: Mapping[str, FaceDataset], output: str | Path, *, codes: bool = False) -> None:
    """Write FER2013's columns emotion, pixels and Usage, then name and subject; whole or not at all.

    Args:
        parts: `{split: faces}`; faces of other forms than squares are refused.
        output: the CSV file.
        codes: write FER2013's numbers in place of names.

    Raises:
        DatasetError: faces are not square, or a label has no number.
        OutputError: the file cannot be written.
    """
    ensure_folder(Path(output).resolve().parent)
    with (
        atomic_path(output) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        labelled = any(faces.labels for faces in parts.values())
        writer.writerow([*(["emotion"] if labelled else []), "pixels", "Usage", "name", "subject"])
        for split, faces in parts.items():
            height, width = faces.images.shape[1:]
            if height != width:
                raise DatasetError(f"a table holds square faces, not {width}×{height}; resize them")
            words = _codes(faces.labels) if codes else faces.labels
            people = faces.groups or ("",) * len(faces)
            for image, target, name, who in zip(
                faces.images, faces.targets, faces.names, people, strict=True
            ):
                pixels = " ".join(map(str, image.ravel().tolist()))
                emotion = [words[target]] if labelled else []
                writer.writerow([*emotion, pixels, _USAGES[split], name, who])


def _codes(labels: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [label for label in labels if label not in CODES]:
        raise DatasetError(f"FER2013 has no number for {', '.join(unknown)}; write names")
    return tuple(str(CODES.index(label)) for label in labels)


def write_splits(
    path: str | Path,
    output: str | Path,
    *,
    validation: float = 0.0,
    test: float = 0.0,
    seed: int = 0,
    side: int | None = None,
    labels: Sequence[str] | None = None,
    link: bool = False,
) -> dict[str, FaceDataset]:
    """Split labelled faces into train, validation and test, and write them as a folder or a table.

    The split is stratified; copies of a picture, and a person where that is known, stay in one part. Splits
    that are there already are put together first. Pictures that keep their size are copied as they are.

    Args:
        path: in any form that `load_dataset` reads.
        output: a new folder, or a file that ends in .csv.
        validation: share of all faces; 0 is none.
        test: share of all faces; 0 is none.
        seed: equal seeds give equal splits.
        side: resize the faces, as in `load_dataset`.
        labels: take these only.
        link: hard links in place of copies, where the disk can.

    Returns:
        The parts that were written.

    Raises:
        DatasetError: the data cannot be read or split so.
        OutputError: the output is there already, or cannot be written.
    """
    if validation < 0 or test < 0 or not 0 < validation + test < 1:
        raise DatasetError(
            f"validation {validation} and test {test} have to split off some faces and leave some to train on"
        )
    data = load_dataset(path, side=side, labels=labels)
    where = split_parts(data, validation, test, seed)
    parts = {name: data.subset(faces) for name, faces in where.items()}
    pictures = list_pictures(Path(path)) if side is None and labels is None else None
    if Path(output).suffix.lower() == ".csv":
        write_table(parts, output)
    elif pictures is None:
        write_folder(parts, output)
    else:
        items = {name: [pictures.items[i] for i in faces] for name, faces in where.items()}
        copy_pictures(items, output, link=link)
    return parts


def split_parts(data: FaceDataset, validation: float, test: float, seed: int) -> dict[str, NDArray[np.int64]]:
    """Return which faces come into train, validation and test; a split of share 0 is left out."""
    rest, parts = np.arange(len(data)), {}
    for name, share in (("test", test), ("validation", validation)):
        if share:
            left = 1.0 if name == "test" else 1.0 - test
            apart = split_mask(data.subset(rest), share / left, seed)
            parts[name], rest = rest[apart], rest[~apart]
    return {"train": rest, **dict(reversed(parts.items()))}


def copy_pictures(parts: Mapping[str, Sequence[Item]], output: str | Path, *, link: bool = False) -> None:
    """Copy files, or link them, to `output/<split>/<emotion>/`, all or none; errors as in `write_folder`."""
    with atomic_folder(output) as root:
        for split, items in parts.items():
            names = Names()
            for item in items:
                assert item.path is not None
                target = names.new(root / split / (item.label or ""), item.path.stem, item.path.suffix)
                if not (link and _linked(item.path, target)):
                    shutil.copyfile(item.path, target)


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source.resolve(), target)
    except OSError:
        return False  # another disk, or one that knows no links: a copy is as good
    return True


class Names:
    """Gives out file names, none of them twice, and makes their folders."""

    def __init__(self) -> None:
        self._taken: set[Path] = set()

    def new(self, folder: Path, stem: str, suffix: str) -> Path:
        """Return `folder/stem+suffix`, with a number where that is taken."""
        folder.mkdir(parents=True, exist_ok=True)
        path, number = folder / f"{stem}{suffix}", 2
        while path in self._taken:
            path, number = folder / f"{stem}-{number}{suffix}", number + 1
        self._taken.add(path)
        return path


def write_png(image: NDArray[np.uint8], path: Path) -> None:
    """Write a grey face, uint8 (height, width), into a folder that is not in its place yet."""
    _, data = cv2.imencode(".png", image)
    path.write_bytes(data.tobytes())

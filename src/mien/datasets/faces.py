"""Training crops from whole photos, cut by the detector and the alignment that read photos later on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.core import images
from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import DatasetError, MienError, OptionError
from mien.core.files import atomic_folder, shown
from mien.core.options import AnalysisOptions
from mien.datasets._items import Item, Pictures, folders_in, parse_label, parse_split, person, unwrapped
from mien.datasets.load import recognise
from mien.datasets.write import Names, write_png
from mien.pipeline.align import crops
from mien.pipeline.classify import classify
from mien.pipeline.detect import create_detector
from mien.zoo.card import Card, ModelInput
from mien.zoo.registry import Model

UNCERTAIN = "uncertain"
"""Folder of the faces that the model is not certain of."""


@dataclass(frozen=True, slots=True)
class CutReport:
    """What became of the photos.

    Attributes:
        photos: how many there were.
        faces: how many crops were written, by folder ("" where they are not sorted).
        without_face: photos in which no face was found.
        unreadable: where and why, of photos that could not be read.
    """

    photos: int
    faces: dict[str, int]
    without_face: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]


def cut_faces(
    photos: str | Path,
    output: str | Path,
    *,
    side: int = 48,
    options: AnalysisOptions | None = None,
    every_face: bool = False,
    model: Model | None = None,
    own: tuple[str, ...] = (),
    neutral: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CutReport:
    """Find the faces of whole photos and write them as grey crops in the form of the training data.

    Photos in one folder an emotion, with splits or not, and those of CK+ and JAFFE keep what is known of
    them: `output/<split>/<emotion>/<name>.png`. Other photos, at any depth, give `output/<name>.png`, or
    with a model `output/<emotion it reads>/<name>.png`.

    Args:
        photos: a folder.
        output: a new folder; it appears when all photos are done.
        side: of the crops, in pixels.
        options: how faces are looked for.
        every_face: write all faces of a photo and not the largest only.
        model: sorts photos of which no emotion is known; where it is not certain, into "uncertain".
        own: labels besides the known emotions.
        neutral: of CK+, take the first frame of each sequence as neutral too.
        progress: called with the photos done and all photos.

    Raises:
        DatasetError: there are no photos, or no face in any of them.
        OptionError: `side` is out of range.
        OutputError: `output` is there already, or cannot be written.
    """
    if not 8 <= side <= 1024:
        raise OptionError(f"side has to be between 8 and 1024 pixels, not {side}")
    items = _photos(Path(photos), own, neutral)
    settings = options or AnalysisOptions()
    detector = create_detector(settings.detector)
    card = Card("crops", DEFAULT_LABELS, ModelInput(side, side, "gray", 0.0, 1.0))
    names, counts = Names(), dict[str, int]()
    without: list[str] = []
    unreadable: list[tuple[str, str]] = []
    with atomic_folder(output) as root:
        for done, item in enumerate(items, 1):
            progress(done, len(items))
            assert item.path is not None
            try:
                photo = images.load(item.path, max_pixels=settings.max_pixels)
                found = detector.detect(photo, settings)[: None if every_face else 1]
            except MienError as error:
                unreadable.append((item.where, str(error)))
                continue
            if not found:
                without.append(item.where)
                continue
            labels = [item.label or ""] * len(found)
            if model is not None and item.label is None:
                labels = _read(model, crops(photo, found, model.card))
            for face, label in zip(crops(photo, found, card), labels, strict=True):
                write_png(face, names.new(root / item.split / label, item.path.stem, ".png"))
                counts[label] = counts.get(label, 0) + 1
        if not counts:
            raise DatasetError(
                f"no face was found in the {len(items)} photos of {shown(photos)}, of which "
                f"{len(unreadable)} cannot be read; nothing was written"
            )
    return CutReport(len(items), counts, tuple(without), tuple(unreadable))


def _photos(root: Path, own: tuple[str, ...], neutral: bool) -> tuple[Item, ...]:
    if root.is_dir() and not _is_sorted(root, own):
        found = sorted(p for p in root.rglob("*") if p.suffix.lower() in images.EXTENSIONS and p.is_file())
        items = tuple(Item("", path.name, None, "", person(path.name), path.parent) for path in found)
    else:
        source = recognise(root, own=own, neutral=neutral, least=1)
        if not isinstance(source, Pictures):
            raise DatasetError(f"{shown(root)} is a table of faces and no folder of photos")
        items = source.items
    if not items:
        raise DatasetError(f"there are no photos in {shown(root)}")
    return items


def _is_sorted(root: Path, own: tuple[str, ...]) -> bool:
    """Tell whether something is known of the photos: by a folder's name, or in the way of CK+ or JAFFE."""
    words = [folder.name for folder in folders_in(unwrapped(root, own))]
    if any(parse_label(word, own) or parse_split(word) for word in words):
        return True
    try:
        return recognise(root).kind in ("CK+", "JAFFE")
    except DatasetError:
        return False


def _read(model: Model, faces: NDArray[np.uint8]) -> list[str]:
    """Return the folder of each face: the emotion that the model reads, or UNCERTAIN."""
    scores = classify(model, faces)
    tops = zip(scores.argmax(1), scores.max(1), strict=True)
    return [model.card.labels[top] if score >= model.card.threshold else UNCERTAIN for top, score in tops]

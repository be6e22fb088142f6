"""Saved faces as training data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core import images
from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import DatasetError, ImageError, OptionError, OutputError
from mien.core.files import check_folder, shown
from mien.core.options import AnalysisOptions
from mien.datasets import FaceDataset
from mien.datasets._items import Item, ordered
from mien.datasets.write import copy_pictures, split_parts, write_folder
from mien.gallery._names import folder_name
from mien.gallery.store import SavedFace
from mien.pipeline.align import crops
from mien.pipeline.detect import Detection, Detector, create_detector, given_detections
from mien.zoo.card import Card, ModelInput

_SIDE = 48


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What became of the saved faces.

    Attributes:
        counts: how many were written, `{split: {emotion: faces}}`; the split is "" where there is none.
        uncertain: left out, as nobody said what they show.
        unreadable: names of files that are no pictures any more.
        without_face: names of pictures in which no face could be aligned.
    """

    counts: dict[str, dict[str, int]]
    uncertain: int
    unreadable: tuple[str, ...]
    without_face: tuple[str, ...]

    @property
    def written(self) -> int:
        """Faces in all splits."""
        return sum(sum(part.values()) for part in self.counts.values())


def export_faces(
    faces: Sequence[SavedFace],
    output: str | os.PathLike[str],
    *,
    side: int = _SIDE,
    whole: bool = False,
    validation: float = 0.0,
    test: float = 0.0,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ExportReport:
    """Write saved faces as a folder that `mien train` and `mien dataset` read.

    It is `output/<emotion>/<name>.png`, or `output/<split>/<emotion>/…` where shares for validation or test
    are given. All pictures of one face that was followed through one session stay in one split, as they are
    nearly the same. Uncertain faces are left out: put them into the folder of an emotion first.

    Args:
        faces: from `Gallery.faces`.
        output: a new folder; it appears when all is done.
        side: of the grey, aligned crops, in pixels; FER2013's is 48.
        whole: write the pictures as they were saved instead, in colour and with room around the face.
        validation: share of all faces; 0 is none.
        test: share of all faces; 0 is none.
        seed: equal seeds give equal splits.
        progress: called with the faces read and all faces.

    Raises:
        OptionError: `side` or a share is out of range.
        DatasetError: there is no face to write, or too few to split.
        OutputError: `output` is there already, or cannot be written.
    """
    if not 8 <= side <= 1024:
        raise OptionError(f"side has to be between 8 and 1024 pixels, not {side}")
    if min(validation, test) < 0 or validation + test >= 1:
        raise OptionError(f"validation {validation} and test {test} have to leave some faces to train on")
    _check_new(Path(output))
    sure = [face for face in faces if face.emotion is not None]
    read = _Reader(side, align=not whole)
    found = []
    for done, face in enumerate(sure, 1):
        found.append((face, read(face)))
        progress(done, len(sure))
    kept = [(face, crop) for face, crop in found if crop is not None]
    if not kept:
        raise DatasetError(
            f"none of {len(faces)} saved faces can be exported; {len(faces) - len(sure)} of them are "
            "uncertain: move those into the folder of an emotion first"
        )
    data = _dataset([face for face, _ in kept], np.stack([crop for _, crop in kept]))
    where = split_parts(data, validation, test, seed) if validation or test else {"": np.arange(len(data))}
    if whole:
        items = [_item(face) for face, _ in kept]
        copy_pictures({split: [items[i] for i in rows] for split, rows in where.items()}, Path(output))
    else:
        write_folder({split: data.subset(rows) for split, rows in where.items()}, Path(output))
    counts = {
        split: dict(sorted(Counter(data.labels[data.targets[i]] for i in rows).items()))
        for split, rows in where.items()
    }
    return ExportReport(counts, len(faces) - len(sure), tuple(read.unreadable), tuple(read.without_face))


def _check_new(output: Path) -> None:
    """Find out before the work what writing the folder would find out after it."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise OutputError(f"{shown(output)} is there already; choose another place or remove it first")
    check_folder(output)


class _Reader:
    """Reads saved pictures as grey squares, aligned or not, and notes those that give none."""

    def __init__(self, side: int, *, align: bool) -> None:
        self.unreadable: list[str] = []
        self.without_face: list[str] = []
        self._card = Card("crops", DEFAULT_LABELS, ModelInput(side, side, "gray", 0.0, 1.0))
        self._align = align
        self._detector: Detector | None = None

    def __call__(self, face: SavedFace) -> NDArray[np.uint8] | None:
        try:
            pixels = images.load(face.path)
        except ImageError:
            self.unreadable.append(face.name)
            return None
        if not self._align:
            gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
            size = (self._card.input.width, self._card.input.height)
            return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
        found = self._find(pixels, face)
        if found is None:
            self.without_face.append(face.name)
            return None
        return np.asarray(crops(pixels, [found], self._card)[0], np.uint8)

    def _find(self, pixels: NDArray[np.uint8], saved: SavedFace) -> Detection | None:
        """Take the landmarks that were seen in the film; look again where there were none."""
        height, width = pixels.shape[:2]
        known = saved.face
        if known is not None and known.landmarks is not None and known.box.clipped(width, height):
            return given_detections(width, height, [known.box], [known.landmarks])[0]
        if self._detector is None:
            self._detector = create_detector("auto")
        found = self._detector.detect(pixels, AnalysisOptions(min_face=8))
        if known is not None:
            return max(found, key=lambda one: one.box.overlap(known.box), default=None)
        return found[0] if found else None


def _dataset(faces: Sequence[SavedFace], pictures: NDArray[np.uint8]) -> FaceDataset:
    names = [folder_name(face.emotion) for face in faces]
    labels = tuple(ordered(names, tuple(sorted(set(names)))))
    return FaceDataset(
        images=pictures,
        targets=np.array([labels.index(name) for name in names], np.int64),
        labels=labels,
        names=tuple(face.path.name for face in faces),
        source=shown(faces[0].path.parent.parent),
        groups=tuple(face.person for face in faces) if any(face.person for face in faces) else None,
    )


def _item(face: SavedFace) -> Item:
    return Item("", face.path.name, folder_name(face.emotion), "", face.person, face.path.parent)

"""Faces to train on as one small file, without loss, to carry to the machine that trains.

A zip file of three: `faces.xz`, what is left of every pixel after its neighbours foretell it (the predictor
of JPEG-LS, Weinberger et al. 2000), compressed by LZMA; `index.json` with labels and names; `votes.csv`. The
28,358 faces of FER2013's training part, less those that the test shares, take 44 MB, as PNG files 50 MB.
"""

from __future__ import annotations

import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import DatasetError
from mien.core.files import atomic_write, ensure_folder
from mien.datasets import FaceDataset
from mien.datasets.splits import split_mask
from mien.datasets.write import write_folder

VOTES, FACES = "votes.csv", "faces"
MOST_BYTES = 55_000_000
# Residuals are bytes without structure beyond their own: no context of earlier bytes, no alignment.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 0, "lp": 0, "pb": 0}]


def pack(data: FaceDataset, votes: Path | None, file: Path, validation: float = 0.0) -> int:
    """Write grey faces and their votes as one file; return its size in bytes.

    Args:
        data: the faces; a validation split of their own stays one.
        votes: file of crowd votes, which travels as it is.
        file: to write.
        validation: part of every label to keep apart for all runs, where the data have no split of their
            own: the one that a run with the seed 0 would keep.

    Raises:
        DatasetError: the file would be larger than `MOST_BYTES`.
        OutputError: it cannot be written.
    """
    apart = data.apart
    if apart is None and validation:
        apart = split_mask(data, validation, 0)
    index = {
        "apart": [] if apart is None else np.flatnonzero(apart).tolist(),
        "labels": list(data.labels),
        "targets": data.targets.tolist(),
        "names": list(data.names),
        "shape": list(data.images.shape),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("faces.xz", lzma.compress(residuals(data.images).tobytes(), filters=_FILTERS))
        archive.writestr("index.json", json.dumps(index), zipfile.ZIP_LZMA)
        if votes is not None:
            archive.writestr(VOTES, votes.read_bytes(), zipfile.ZIP_LZMA)
    size = content.tell()
    if size > MOST_BYTES:
        raise DatasetError(
            f"{len(data)} faces take {size:,} bytes packed; more than {MOST_BYTES:,} is too much"
        )
    ensure_folder(file.parent)
    atomic_write(file, content.getvalue())
    return size


def unpack(file: Path, folder: Path) -> tuple[Path, Path | None]:
    """Write the faces as a folder of pictures, by split, and the votes beside it; return the places of both.

    A folder that is there already is taken as it is.
    """
    faces, votes = folder / FACES, folder / VOTES
    with zipfile.ZipFile(file) as archive:
        has_votes = VOTES in archive.namelist()
        if not faces.exists():
            ensure_folder(folder)
            index = json.loads(archive.read("index.json"))
            pixels = np.frombuffer(lzma.decompress(archive.read("faces.xz")), np.uint8)
            images = restored(pixels.reshape(index["shape"]))
            data = FaceDataset(
                images,
                np.array(index["targets"]),
                tuple(index["labels"]),
                tuple(index["names"]),
                source="packed",
            )
            if has_votes:
                votes.write_bytes(archive.read(VOTES))
            apart = np.zeros(len(data), bool)
            apart[index["apart"]] = True
            parts = {"train": data.subset(~apart), "validation": data.subset(apart)}
            write_folder(parts if apart.any() else {"": data}, faces)
    return faces, votes if has_votes else None


def residuals(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what is left of each pixel, modulo 256, after left, upper and upper left foretell it."""
    values = np.pad(images.astype(np.int16), ((0, 0), (1, 0), (1, 0)))
    left, upper, corner = values[:, 1:, :-1], values[:, :-1, 1:], values[:, :-1, :-1]
    return ((images - _foretold(left, upper, corner)) % 256).astype(np.uint8)


def restored(left_over: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the images whose `residuals` these are: pixel after pixel, all images at once."""
    faces, height, width = left_over.shape
    # Pixels first, so that a step of all images is one piece of memory.
    values = np.zeros((height + 1, width + 1, faces), np.int16)
    moved = np.ascontiguousarray(left_over.transpose(1, 2, 0)).astype(np.int16)
    for y in range(height):
        for x in range(width):
            foretold = _foretold(values[y + 1, x], values[y, x + 1], values[y, x])
            values[y + 1, x + 1] = (moved[y, x] + foretold) % 256
    return np.ascontiguousarray(values[1:, 1:].transpose(2, 0, 1)).astype(np.uint8)


def _foretold(
    left: NDArray[np.int16], upper: NDArray[np.int16], corner: NDArray[np.int16]
) -> NDArray[np.int16]:
    """The median of left, upper and left + upper - corner: follows edges, and slopes where there is none."""
    low, high = np.minimum(left, upper), np.maximum(left, upper)
    foretold: NDArray[np.int16] = np.clip(left + upper - corner, low, high)
    return foretold

"""Whether whole photos are read as crops are: faces placed into scenes, found again, the same at any size.

The faces are those of a test set that the model was not trained on, where it lies beside the checkout. Their
labels play no part: what is compared is what the model says of the crop and what the whole path says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import Figure, quantile, share
from benchmarks.pictures import SAMPLES, paste
from mien.core import images
from mien.core.results import Face
from mien.datasets import load_dataset
from mien.pipeline.analyzer import Analyzer
from mien.pipeline.classify import classify
from mien.zoo.registry import Model

TEST = Path("../shared/fer2013/test")
SCENES, COLUMNS, ROWS = 40, 4, 2
WIDTH, HEIGHT = 1280, 720
# Sides that a face of the data set, 48 pixels, is enlarged to: about the height of the box around it.
SIDES = (100, 128, 176, 240)
SCALES = (0.5, 1.0, 2.0)
SMALLEST = 64
SAME_LABEL = {"yunet": 0.95, "haar": 0.90}
KEPT_LABEL, MOVED_MEDIAN, MOVED_95 = 0.97, 0.02, 0.10


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 (height, width, 3) RGB, with faces by the middle and side of their places."""

    picture: np.ndarray
    faces: np.ndarray  # numbers in the data set
    places: np.ndarray  # middle x, middle y, side


def run(model: Model, detectors: list[str]) -> Iterator[Figure]:
    """Yield the figures of every detector that is present; nothing where there are no faces."""
    if not TEST.is_dir():
        print(f"scenes: left out, {TEST} is not here", flush=True)
        return
    faces = load_dataset(TEST, default="test").images
    scenes = [_scene(faces, np.random.default_rng(number)) for number in range(SCENES)]
    labels = classify(model, faces)
    for detector in detectors:
        analyzer = Analyzer(model=model, detector=detector)
        yield _same_label(analyzer, detector, scenes, labels)
        yield from _same_at_any_size(analyzer, detector, scenes)


def _scene(faces: np.ndarray, generator: np.random.Generator) -> Scene:
    """Place one face into each cell of a grid, somewhere, over a natural background with its own light."""
    background = images.load(SAMPLES / "rocket-launch.jpg")
    picture = cv2.resize(background, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    if generator.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
    cell = WIDTH // COLUMNS, HEIGHT // ROWS
    chosen = generator.choice(len(faces), COLUMNS * ROWS, replace=False)
    places = []
    for number, face in enumerate(chosen):
        side = int(generator.choice(SIDES))
        # As much again around the face as `paste` fades out, so that the face itself stays whole.
        margin = side // 5
        large = cv2.resize(faces[face], (side, side), interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(large, *[margin] * 4, cv2.BORDER_REFLECT_101)
        whole = side + 2 * margin
        left = cell[0] * (number % COLUMNS) + int(generator.integers(0, max(1, cell[0] - whole)))
        top = cell[1] * (number // COLUMNS) + int(generator.integers(0, max(1, cell[1] - whole)))
        paste(picture, np.repeat(framed[..., None], 3, 2), left, top)
        places.append((left + margin + side / 2, top + margin + side / 2, side))
    return Scene(picture, chosen, np.array(places))


def _found(analyzer: Analyzer, picture: np.ndarray, places: np.ndarray) -> list[Face | None]:
    """Return of each place the face whose box has its middle there and about its size."""
    found = analyzer.analyze(picture).faces

    def at(x: float, y: float, side: float) -> Face | None:
        for face in found:
            box = face.box
            off = max(abs(box.x + box.width / 2 - x), abs(box.y + box.height / 2 - y))
            if off < side / 4 and 0.5 < box.height / side < 1.6:
                return face
        return None

    return [at(*place) for place in places]


def _top(face: Face, labels: tuple[str, ...]) -> int:
    return int(np.argmax([face.scores[label] for label in labels]))


def _same_label(analyzer: Analyzer, detector: str, scenes: list[Scene], crops: np.ndarray) -> Figure:
    labels, same, placed = analyzer.model.card.labels, [], 0
    for scene in scenes:
        placed += len(scene.faces)
        for number, face in zip(scene.faces, _found(analyzer, scene.picture, scene.places), strict=True):
            if face is not None:
                same.append(_top(face, labels) == crops[number].argmax())
    return share(
        f"faces of {SIDES[0]} pixels and more in scenes, {detector}: label of the crop",
        same,
        limit=SAME_LABEL[detector],
        at_least=True,
        found=f"{len(same)} of {placed}",
    )


def _same_at_any_size(analyzer: Analyzer, detector: str, scenes: list[Scene]) -> Iterator[Figure]:
    labels, kept, moved = analyzer.model.card.labels, [], []
    for scene in scenes:
        rows = scene.places[:, 2] * min(SCALES) >= SMALLEST
        at_scales = []
        for scale in SCALES:
            size = round(WIDTH * scale), round(HEIGHT * scale)
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            picture = scene.picture if scale == 1 else cv2.resize(scene.picture, size, interpolation=way)
            at_scales.append(_found(analyzer, picture, scene.places[rows] * scale))
        for faces in zip(*at_scales, strict=True):
            if None in faces:
                continue
            scores = np.array([[face.scores[label] for label in labels] for face in faces if face])
            kept.append(len(set(scores.argmax(1))) == 1)
            moved.append(np.abs(scores - scores[SCALES.index(1.0)]).max())
    sizes = ", ".join(f"{scale:g}×" for scale in SCALES)
    yield share(
        f"scenes at {sizes}, {detector}: label kept", kept, limit=KEPT_LABEL, at_least=True, faces=len(kept)
    )
    for level, limit in ((0.5, MOVED_MEDIAN), (0.95, MOVED_95)):
        name = f"scenes at {sizes}, {detector}: greatest move of a probability, {level:.0%} of the faces"
        yield quantile(name, moved, level, limit=limit)

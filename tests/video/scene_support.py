"""Rendered films of faces on known paths, and a detector that knows them as well as a real one would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.core import images
from mien.core.geometry import Box
from mien.core.options import AnalysisOptions
from mien.pipeline.detect import Detection, given_detections
from mien.video.frames import Frame

WIDTH, HEIGHT, RATE = 480, 270, 25.0
_SAMPLES = Path(mien.__file__).parent / "samples"
# Head and shoulders in the packaged photos, and the face in them: left, top, right, bottom in pixels.
_CUTS = {
    "eileen-collins.jpg": ((125, 25, 325, 230), (187, 70, 260, 165)),
    "grace-hopper.jpg": ((70, 20, 450, 440), (178, 105, 346, 330)),
}
Path2D = Callable[[float], tuple[float, float] | None]


@dataclass(frozen=True, eq=False)
class Person:
    """A picture that moves: `path` gives the centre of its face at a time, None while away.

    Attributes:
        pixels: uint8 (H, W, 3).
        face: of the picture's sides: left, top, width, height.
        path: from seconds to pixels.
    """

    pixels: NDArray[np.uint8]
    face: tuple[float, float, float, float]
    path: Path2D


def person(number: int, path: Path2D, *, height: int = 110) -> Person:
    """Return one of two women in photos, or, from 2 on, the same with other colours, turned about."""
    name, ((left, top, right, bottom), mark) = list(_CUTS.items())[number % 2]
    cut = images.load(_SAMPLES / name)[top:bottom, left:right]
    wide, high = right - left, bottom - top
    face = (
        (mark[0] - left) / wide,
        (mark[1] - top) / high,
        (mark[2] - mark[0]) / wide,
        (mark[3] - mark[1]) / high,
    )
    small = cv2.resize(cut, (round(height * wide / high), height), interpolation=cv2.INTER_AREA)
    if number >= 2:
        small = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
        small[..., 0] = (small[..., 0].astype(int) + 60 * (number // 2)) % 180
        small = np.ascontiguousarray(cv2.cvtColor(small, cv2.COLOR_HSV2RGB)[:, ::-1])
        face = (1 - face[0] - face[2], *face[1:])
    return Person(np.ascontiguousarray(small), face, path)


@dataclass(eq=False)
class Scene:
    """People before a background, those later in the list in front, and bars before all of them.

    It is a detector too: it finds the faces of the frame drawn last, if at most half of one is covered,
    off by a pixel or two, and misses a share of them.

    Attributes:
        people: from the back to the front.
        bars: left and right edges of pillars.
        misses: share of faces that a look does not find.
        truth: boxes of the faces in the frame drawn last, by number; those that can be seen.
    """

    people: Sequence[Person]
    bars: Sequence[tuple[int, int]] = ()
    misses: float = 0.05
    seed: int = 0
    name: str = "scene"
    truth: dict[int, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        rough = self._random.integers(90, 140, (9, 16, 1), np.uint8).repeat(3, 2)
        self._back = cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)

    def frames(self, count: int) -> Iterator[Frame]:
        """Draw frames one after another."""
        for index in range(count):
            yield Frame(index, index / RATE, self.draw(index / RATE))

    def draw(self, time_s: float) -> NDArray[np.uint8]:
        """Return the picture at a time, uint8 (270, 480, 3) RGB, and remember where its faces are."""
        pixels = self._back.copy()
        owner = np.full((HEIGHT, WIDTH), -1)
        boxes: dict[int, Box] = {}
        for number, one in enumerate(self.people):
            place = one.path(time_s)
            if place is None:
                continue
            box = self._paste(pixels, owner, one, number, place)
            if box is not None:
                boxes[number] = box
        for left, right in self.bars:
            pixels[:, left:right] = (40, 60, 50)
            owner[:, left:right] = -2
        self.truth = {number: box for number, box in boxes.items() if _shown(owner, box, number) > 0.5}
        noise = self._random.integers(0, 7, (HEIGHT, WIDTH, 3), np.uint8)
        return np.clip(pixels.astype(np.int16) + noise - 3, 0, 255).astype(np.uint8)

    def detect(self, image: NDArray[np.uint8], options: AnalysisOptions) -> list[Detection]:
        """Return the faces of the frame drawn last, largest first, as a detector would."""
        boxes = []
        for box in self.truth.values():
            if self._random.random() < self.misses:
                continue
            x, y, w, h = self._random.integers(-1, 2, 4).tolist()
            moved = Box(box.x + x, box.y + y, box.width + w, box.height + h).clipped(WIDTH, HEIGHT)
            if moved is not None:
                boxes.append(moved)
        return given_detections(WIDTH, HEIGHT, boxes)

    def _paste(
        self,
        pixels: NDArray[np.uint8],
        owner: NDArray[np.int64],
        one: Person,
        number: int,
        place: tuple[float, float],
    ) -> Box | None:
        height, width = one.pixels.shape[:2]
        face = [part * side for part, side in zip(one.face, (width, height) * 2, strict=True)]
        left, top = round(place[0] - face[0] - face[2] / 2), round(place[1] - face[1] - face[3] / 2)
        whole = Box(left, top, width, height).clipped(WIDTH, HEIGHT)
        if whole is None:
            return None
        there = (slice(whole.y, whole.bottom), slice(whole.x, whole.right))
        pixels[there] = one.pixels[whole.y - top : whole.bottom - top, whole.x - left : whole.right - left]
        owner[there] = number
        return Box(left + round(face[0]), top + round(face[1]), round(face[2]), round(face[3]))


def _shown(owner: NDArray[np.int64], box: Box, number: int) -> float:
    """Return the share of a face that lies in the picture and is not covered."""
    inside = box.clipped(WIDTH, HEIGHT)
    if inside is None:
        return 0.0
    part = owner[inside.y : inside.bottom, inside.x : inside.right]
    return float((part == number).sum()) / box.area

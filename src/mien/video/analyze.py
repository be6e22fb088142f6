"""From frames to frames with faces: followed, read, steadied, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from mien.core.results import Face, FrameAnalysis, Quality
from mien.core.video_options import VideoOptions
from mien.pipeline.detect import Detection
from mien.pipeline.steps import Steps
from mien.video.ahead import Ahead
from mien.video.follow import Followed, Follower
from mien.video.frames import Frame
from mien.video.smooth import Smoother

_BATCH_BYTES = 48 * 2**20
_MOST_BATCHED = 8
_MOST_WAITING = 12  # frames: while one is searched for faces, those before it are followed and read
_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)
_FORGET_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A frame with its faces, and the crops of those that are to be read in it."""

    frame: Frame
    faces: list[Followed]
    read: list[int]  # places in `faces`
    crops: NDArray[np.uint8]
    qualities: list[Quality]


class FrameReader:
    """Reads the frames of one film or camera in their order.

    Args:
        steps: detector, model and options of each picture.
        options: of moving pictures.
    """

    def __init__(self, steps: Steps, options: VideoOptions) -> None:
        self._steps = steps
        self._follower = Follower(steps, options)
        self._smoother = Smoother(options)
        self._reading_s = options.reading
        self._read_at: dict[int, float] = {}
        self._held: dict[int, tuple[Quality, NDArray[np.float64]]] = {}

    def read(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, FrameAnalysis]]:
        """Yield every frame with its faces; the crops of several frames are classified together.

        Frames are searched for faces, followed and read in three threads, one behind the other: what is found
        does not depend on which is faster.
        """
        frames = iter(frames)
        first = next(frames, None)
        if first is None:
            return
        affordable = max(1, _BATCH_BYTES // (3 * math.prod(first.size)))
        most, waiting = min(_MOST_BATCHED, affordable), min(_MOST_WAITING, affordable)
        batch: list[_Seen] = []
        looking = Ahead(self._looked(chain([first], frames)), waiting, "mien-look")
        following = Ahead(self._followed(looking), waiting, "mien-follow")
        try:
            for frame, faces in following:
                batch.append(self._cut(frame, faces))
                if len(batch) >= most:
                    yield from self._finish(batch, self._filtered(batch))
                    batch = []
            if batch:
                yield from self._finish(batch, self._filtered(batch))
        finally:
            looking.close()
            following.close()

    def read_one(self, frame: Frame) -> tuple[FrameAnalysis, NDArray[np.uint8]]:
        """Return the faces of the next frame at once, for live pictures, and their crops.

        The crops are what the network read, as `Analyzer.analyze_with_crops` returns them.
        """
        batch = [self._cut(frame, self._follower.step(frame, self._follower.look(frame)))]
        crops = self._filtered(batch)
        return next(self._finish(batch, crops))[1], crops

    def _looked(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, list[Detection] | None]]:
        for frame in frames:
            yield frame, self._follower.look(frame)

    def _followed(
        self, looked: Iterable[tuple[Frame, list[Detection] | None]]
    ) -> Iterator[tuple[Frame, list[Followed]]]:
        for frame, found in looked:
            yield frame, self._follower.step(frame, found)

    def _cut(self, frame: Frame, faces: list[Followed]) -> _Seen:
        read = [place for place, face in enumerate(faces) if self._is_due(face, frame.time_s)]
        # Without faces to read the colours of a frame are not needed.
        pixels = frame.pixels if read else _NO_PIXELS
        crops, qualities = self._steps.cut(pixels, [faces[place].detection for place in read])
        self._read_at |= {faces[place].track_id: frame.time_s for place in read}
        return _Seen(frame, faces, read, crops, qualities)

    def _is_due(self, face: Followed, time_s: float) -> bool:
        last_s = self._read_at.get(face.track_id)
        # A millisecond: timestamps are rounded.
        return face.found or last_s is None or time_s - last_s >= self._reading_s - 1e-3

    def _filtered(self, batch: list[_Seen]) -> NDArray[np.uint8]:
        return self._steps.filter(np.concatenate([seen.crops for seen in batch]))

    def _finish(self, batch: list[_Seen], crops: NDArray[np.uint8]) -> Iterator[tuple[Frame, FrameAnalysis]]:
        rows = iter(self._steps.score(crops))
        for seen in batch:
            for place, measured in zip(seen.read, seen.qualities, strict=True):
                self._held[seen.faces[place].track_id] = measured, next(rows)
            faces = tuple(self._face(seen.frame, face) for face in seen.faces)
            yield seen.frame, FrameAnalysis(seen.frame.index, seen.frame.time_s, faces)
        self._forget(batch[-1].frame.time_s - _FORGET_S)

    def _face(self, frame: Frame, followed: Followed) -> Face:
        measured, scores = self._held[followed.track_id]
        box, steadied = self._smoother.step(followed.track_id, frame.time_s, followed.detection.box, scores)
        inside = box.clipped(*frame.size) or followed.detection.box
        face = self._steps.face(replace(followed.detection, box=inside), measured, steadied.tolist())
        certain = self._smoother.is_certain(followed.track_id, face.confidence, self._steps.threshold)
        return replace(face, track_id=followed.track_id, emotion=face.emotion if certain else None)

    def _forget(self, before_s: float) -> None:
        """Let go of faces that were not read since, so that memory does not grow."""
        gone = [number for number, time_s in self._read_at.items() if time_s < before_s]
        for number in gone:
            del self._read_at[number], self._held[number]
        self._smoother.forget(before_s)

"""From frames to frames with faces: followed, read, steadied, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.core.results import Face, FrameAnalysis, Quality
from mien.core.video_options import VideoOptions
from mien.pipeline.steps import Steps
from mien.video.follow import Followed, Follower
from mien.video.frames import Frame
from mien.video.smooth import Smoother

_BATCH_BYTES = 48 * 2**20
_MOST_BATCHED = 8
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
        """Yield every frame with its faces; the crops of several frames are classified together."""
        batch: list[_Seen] = []
        for frame in frames:
            batch.append(self._see(frame))
            if len(batch) >= min(_MOST_BATCHED, _BATCH_BYTES // frame.pixels.nbytes):
                yield from self._finish(batch, self._filtered(batch))
                batch = []
        if batch:
            yield from self._finish(batch, self._filtered(batch))

    def read_one(self, frame: Frame) -> tuple[FrameAnalysis, NDArray[np.uint8]]:
        """Return the faces of the next frame at once, for live pictures, and their crops.

        The crops are what the network read, as `Analyzer.analyze_with_crops` returns them.
        """
        batch = [self._see(frame)]
        crops = self._filtered(batch)
        return next(self._finish(batch, crops))[1], crops

    def _see(self, frame: Frame) -> _Seen:
        faces = self._follower.step(frame)
        read = [place for place, face in enumerate(faces) if self._is_due(face, frame.time_s)]
        crops, qualities = self._steps.cut(frame.pixels, [faces[place].detection for place in read])
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
        height, width = frame.pixels.shape[:2]
        inside = box.clipped(width, height) or followed.detection.box
        face = self._steps.face(replace(followed.detection, box=inside), measured, steadied.tolist())
        certain = self._smoother.is_certain(followed.track_id, face.confidence, self._steps.threshold)
        return replace(face, track_id=followed.track_id, emotion=face.emotion if certain else None)

    def _forget(self, before_s: float) -> None:
        """Let go of faces that were not read since, so that memory does not grow."""
        gone = [number for number, time_s in self._read_at.items() if time_s < before_s]
        for number in gone:
            del self._read_at[number], self._held[number]
        self._smoother.forget(before_s)

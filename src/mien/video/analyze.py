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
    frame: Frame
    faces: list[Followed]
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
        crops, qualities = self._steps.cut(frame.pixels, [face.detection for face in faces])
        return _Seen(frame, faces, crops, qualities)

    def _filtered(self, batch: list[_Seen]) -> NDArray[np.uint8]:
        return self._steps.filter(np.concatenate([seen.crops for seen in batch]))

    def _finish(self, batch: list[_Seen], crops: NDArray[np.uint8]) -> Iterator[tuple[Frame, FrameAnalysis]]:
        rows = iter(self._steps.score(crops))
        for seen in batch:
            faces = [
                self._face(seen.frame, face, measured, next(rows))
                for face, measured in zip(seen.faces, seen.qualities, strict=True)
            ]
            self._smoother.forget(seen.frame.time_s - _FORGET_S)
            yield seen.frame, FrameAnalysis(seen.frame.index, seen.frame.time_s, tuple(faces))

    def _face(self, frame: Frame, followed: Followed, measured: Quality, scores: NDArray[np.float64]) -> Face:
        box, steadied = self._smoother.step(followed.track_id, frame.time_s, followed.detection.box, scores)
        height, width = frame.pixels.shape[:2]
        inside = box.clipped(width, height) or followed.detection.box
        face = self._steps.face(replace(followed.detection, box=inside), measured, steadied.tolist())
        return replace(face, track_id=followed.track_id)

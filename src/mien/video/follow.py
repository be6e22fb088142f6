"""Where every face is in every frame: a look at a cadence, motion between, and a number for each."""

from __future__ import annotations

from dataclasses import dataclass

from mien.core.video_options import VideoOptions
from mien.pipeline.detect import Detection
from mien.pipeline.steps import Steps
from mien.video.frames import Frame
from mien.video.motion import Motion
from mien.video.tracks import Tracks

_TURNED_S = 2.0  # between tries with the picture on its side, while no face is there


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A face in a frame.

    Attributes:
        track_id: the same for the same person through the film, from 0.
        detection: where it is.
        found: a look found it in this very frame; else it was carried here.
    """

    track_id: int
    detection: Detection
    found: bool


class Follower:
    """Follows the faces of one film; frames are to be given in their order."""

    def __init__(self, steps: Steps, options: VideoOptions) -> None:
        self._steps = steps
        self._cadence = options.cadence
        self._as_stills = options.cadence == 1 and options.smoothing == 0
        self._motion = Motion() if self._cadence > 1 else None
        self._tracks = Tracks(options.max_gap, carries=self._motion is not None)
        self._until_look = 0
        self._turned_at = -_TURNED_S

    def step(self, frame: Frame) -> list[Followed]:
        """Return the faces of the next frame, largest first."""
        if self._motion is not None:
            present = self._tracks.present
            small = self._motion.look(frame.pixels)
            self._tracks.carry(self._motion.advance(small, [track.detection for track in present]))
            if len(self._tracks.present) < len(present):
                self._until_look = 0  # someone was lost sight of: look at once
        looks = self._until_look <= 0
        if looks:
            self._until_look = self._cadence
            self._tracks.look(frame.pixels, self._find(frame), frame.time_s)
        self._until_look -= 1
        faces = [
            Followed(track.number, track.detection, looks and track.found_s == frame.time_s)
            for track in self._tracks.present
        ]
        return sorted(faces, key=lambda face: face.detection.box.area, reverse=True)

    def _find(self, frame: Frame) -> list[Detection]:
        if self._as_stills:
            return self._steps.detect(frame.pixels)
        turned = not self._tracks.present and frame.time_s - self._turned_at >= _TURNED_S
        if turned:
            self._turned_at = frame.time_s
        return self._steps.detect(frame.pixels, turned=turned)

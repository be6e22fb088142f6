"""Where every face is in every frame: a look at a cadence, motion between, and a number for each."""

from __future__ import annotations

from dataclasses import dataclass

from mien.core.video_options import VideoOptions
from mien.pipeline.detect import Detection
from mien.pipeline.steps import Steps
from mien.video.frames import Frame
from mien.video.motion import Motion
from mien.video.tracks import Tracks

_MIXED_UP = 1 / 3  # of the cadence, while somebody was just lost or two faces are close
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
    """Follows the faces of one film; frames are to be given in their order, to `look` and then to `step`."""

    def __init__(self, steps: Steps, options: VideoOptions) -> None:
        self._steps = steps
        self._cadence = options.cadence
        self._as_stills = options.cadence == 0 and options.smoothing == 0
        self._motion = Motion() if self._cadence > 0 else None
        self._tracks = Tracks(options.max_gap, carries=self._motion is not None)
        self._looked_s: float | None = None
        self._found_s = -_TURNED_S
        self._turned_s = -_TURNED_S
        self._on_side = False

    def look(self, frame: Frame) -> list[Detection] | None:
        """Search a frame for faces where that is due, None where it is not.

        Apart from `step`, so that frames to come may be searched meanwhile, in another thread.
        """
        # A millisecond: timestamps are rounded.
        if self._looked_s is not None and frame.time_s - self._looked_s < self._cadence - 1e-3:
            return None
        self._looked_s = frame.time_s
        return self._steps.detect(frame.pixels, turned=self._as_stills)

    def step(self, frame: Frame, found: list[Detection] | None) -> list[Followed]:
        """Return the faces of the next frame, largest first.

        Args:
            frame: the next.
            found: what `look` gave for it.
        """
        lost = self._carry(frame)
        if found is None and (lost or self._wants_a_look(frame)):
            found = self._steps.detect(frame.pixels, turned=False)
        if found is not None:
            self._found_s = frame.time_s
            self._tracks.look(frame.pixels, self._upright_or_turned(found, frame), frame.time_s)
        faces = [
            Followed(track.number, track.detection, found is not None and track.found_s == frame.time_s)
            for track in self._tracks.present
        ]
        return sorted(faces, key=lambda face: face.detection.box.area, reverse=True)

    def _carry(self, frame: Frame) -> bool:
        """Carry the faces of the last frame into this one; tell whether one was lost sight of."""
        if self._motion is None:
            return False
        before = self._tracks.present
        small = self._motion.look(frame)
        self._tracks.carry(self._motion.advance(small, [track.detection for track in before]))
        return len(self._tracks.present) < len(before)

    def _wants_a_look(self, frame: Frame) -> bool:
        """Look more often while faces may be taken for each other."""
        soon = frame.time_s - self._found_s >= self._cadence * _MIXED_UP - 1e-3
        return soon and self._tracks.mixed_up(frame.time_s)

    def _upright_or_turned(self, found: list[Detection], frame: Frame) -> list[Detection]:
        """Try the picture on its side where no face is found: now and then, and always once one was there."""
        due = not self._tracks.present and frame.time_s - self._turned_s >= _TURNED_S
        if found or self._as_stills or not (due or self._on_side):
            self._on_side = self._on_side and not found
            return found
        self._turned_s = frame.time_s
        found = self._steps.detect(frame.pixels)
        self._on_side = bool(found)
        return found

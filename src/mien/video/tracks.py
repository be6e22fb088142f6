"""Faces with stable numbers: what is found is matched with what was followed, whatever crossed or hid it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mien.core.geometry import Box
from mien.pipeline.detect import Detection
from mien.video.appearance import Appearance

_FAR = 1e6  # cost of a pair that is out of the question
_LEAST_OVERLAP = 0.1
_LEAST_LIKENESS = 0.35  # of a face that was followed without a gap
_LEAST_LIKENESS_AGAIN = 0.6  # of one that comes back
_REACH = 1.0  # widths of a face, and so many more for each second out of sight
_REACH_A_SECOND = 3.0
_AS_EXPECTED = 1.2  # widths from where it would be, had it gone on: there, less likeness is enough
_STAYED = 0.5  # widths from where it was last found: there too
_FORESEEN_S = 2.0
_SPEED_LEARNT = 0.5  # of the speed, replaced at each look
_SIZES = 2.0  # a face does not come back more than so many times as large
_SETTLED = 3  # looks that a face has been found in before it is believed and remembered
_MISSES = 2  # looks in a row without it that end one that is not settled
_UNSEEN_S = 1.0  # that a settled one is carried on, though no look finds it
_JUST_LOST_S = 1.0
_CLOSE = 1.2  # widths between two faces
_HIDDEN = 0.5  # overlap of two carried faces from which on the one behind is taken for hidden


@dataclass(eq=False)
class Track:
    """One person's face through the film.

    Attributes:
        number: from 0, in the order of appearance.
        detection: where it is now, or was when it was last seen.
        appearance: what it looks like, learnt from every look.
        found_s: when a look last found it.
        place: where that was.
        speed: of its centre over the last looks, in pixels a second, float64 (2,).
        hits: looks that found it.
        misses: looks in a row that did not.
        present: it is in the picture now, as far as can be told.
    """

    number: int
    detection: Detection
    appearance: Appearance
    found_s: float
    place: Box
    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    hits: int = 1
    misses: int = 0
    present: bool = True

    @property
    def settled(self) -> bool:
        """It was found often enough to be believed."""
        return self.hits >= _SETTLED

    def expected(self, time_s: float) -> Box:
        """Where it would be, had it gone on as it went when a look last found it."""
        x, y = np.round(self.speed * min(time_s - self.found_s, _FORESEEN_S)).astype(int).tolist()
        return Box(self.place.x + x, self.place.y + y, self.place.width, self.place.height)


class Tracks:
    """All faces of a film, present and remembered.

    Args:
        max_gap_s: that a face may be out of sight and keep its number.
        carries: faces are carried between looks; where they are not, none is present but by a look.
    """

    def __init__(self, max_gap_s: float, *, carries: bool) -> None:
        self._max_gap_s = max_gap_s
        self._carries = carries
        self._tracks: list[Track] = []
        self._next = 0

    @property
    def present(self) -> list[Track]:
        """Those in the picture now."""
        return [track for track in self._tracks if track.present]

    def mixed_up(self, time_s: float) -> bool:
        """Tell whether somebody was just lost, or two faces are about to cover each other."""
        lost = any(
            track.settled and not track.present and time_s - track.found_s <= _JUST_LOST_S
            for track in self._tracks
        )
        return lost or _close([track.detection.box for track in self.present if track.misses == 0])

    def carry(self, carried: Sequence[Detection | None]) -> None:
        """Put the faces of `present`, in that order, where their motion took them; None is lost sight of."""
        for track, detection in zip(self.present, carried, strict=True):
            if detection is None:
                track.present = False
            else:
                track.detection = detection

    def look(self, pixels: NDArray[np.uint8], detections: Sequence[Detection], time_s: float) -> None:
        """Match what a look found with what is known; new faces get new numbers."""
        boxes = [found.box for found in detections]
        seen = [
            Appearance.of(pixels, box, boxes[:place] + boxes[place + 1 :]) for place, box in enumerate(boxes)
        ]
        taken = self._matched(detections, seen, time_s)
        for index, (found, appearance) in enumerate(zip(detections, seen, strict=True)):
            track = taken.get(index)
            if track is None:
                self._tracks.append(Track(self._next, found, appearance, time_s, found.box))
                self._next += 1
            else:
                _update(track, found, appearance, time_s)
        matched = {id(track) for track in taken.values()}
        for track in self._tracks:
            if id(track) not in matched and track.found_s < time_s:
                self._miss(track, pixels, time_s)
        self._tracks = [track for track in self._tracks if self._is_kept(track, time_s)]

    def _matched(
        self, detections: Sequence[Detection], seen: Sequence[Appearance], time_s: float
    ) -> dict[int, Track]:
        if not self._tracks or not detections:
            return {}
        costs = np.array(
            [
                [_cost(track, found, look, time_s) for found, look in zip(detections, seen, strict=True)]
                for track in self._tracks
            ]
        )
        rows, columns = linear_sum_assignment(costs)
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        return {column: self._tracks[row] for row, column in pairs if costs[row, column] < _FAR}

    def _miss(self, track: Track, pixels: NDArray[np.uint8], time_s: float) -> None:
        track.misses += 1
        if not track.present:
            return
        box = track.detection.box
        if track.hits == track.misses == 1:  # found once only: how it went is known from its motion alone
            track.speed = (_centre(box) - _centre(track.place)) / (time_s - track.found_s)
        if not self._carries or any(
            other.detection.box.overlap(box) > _HIDDEN for other in self.present if other is not track
        ):
            # Hidden by the other one: what was carried is the other's motion.
            track.present = False
        elif not track.settled:
            track.present = track.misses < _MISSES
        elif time_s - track.found_s > _UNSEEN_S:
            track.present = False
        else:  # turned away or blurred; as long as it still looks the same it is there
            track.present = track.appearance.likeness(Appearance.of(pixels, box)) >= _LEAST_LIKENESS_AGAIN

    def _is_kept(self, track: Track, time_s: float) -> bool:
        return track.present or time_s - track.found_s <= self._max_gap_s


def _update(track: Track, found: Detection, appearance: Appearance, time_s: float) -> None:
    passed = time_s - track.found_s
    if passed > 0:
        moved = _centre(found.box) - _centre(track.place)
        new = _SPEED_LEARNT if track.hits > 1 else 1.0
        track.speed = (1 - new) * track.speed + new * moved / passed
    track.appearance = track.appearance.learnt(appearance)
    track.detection = found
    track.place = found.box
    track.found_s = time_s
    track.hits += 1
    track.misses = 0
    track.present = True


def _cost(track: Track, found: Detection, look: Appearance, time_s: float) -> float:
    """Return how badly a found face fits a track, in about [0, 2]; `_FAR` where it cannot be the same."""
    likeness = track.appearance.likeness(look)
    costs = [_cost_again(track, found.box, likeness, time_s)]
    if track.present:
        costs.append(_cost_followed(track.detection.box, found.box, likeness))
    return min(costs)


def _cost_followed(here: Box, there: Box, likeness: float) -> float:
    overlap = here.overlap(there)
    near = overlap >= _LEAST_OVERLAP or _distance(here, there) <= 0.5
    if likeness < _LEAST_LIKENESS or not near or not _alike_in_size(here, there):
        return _FAR
    return 1 - overlap + 1 - likeness


def _cost_again(track: Track, there: Box, likeness: float, time_s: float) -> float:
    """One that comes back, or that was carried off by whoever passed before it.

    At best it costs as much as one without overlap: one that was followed comes first.
    """
    if not _alike_in_size(track.place, there):
        return _FAR
    went_on = _distance(track.expected(time_s), there) <= _AS_EXPECTED
    if likeness >= _LEAST_LIKENESS and (went_on or _distance(track.place, there) <= _STAYED):
        return 1.0 + 1 - likeness
    # The more alike, the farther it may have gone.
    alike = (likeness - _LEAST_LIKENESS_AGAIN) / (1 - _LEAST_LIKENESS_AGAIN)
    reach = (_REACH + _REACH_A_SECOND * (time_s - track.found_s)) * (1 + 2 * alike)
    return 1.0 + 1 - likeness if alike >= 0 and _distance(track.place, there) <= reach else _FAR


def _alike_in_size(here: Box, there: Box) -> bool:
    return max(here.area, there.area) <= _SIZES**2 * min(here.area, there.area)


def _distance(a: Box, b: Box) -> float:
    """Return the distance between the centres of two boxes, in widths of the larger face."""
    return float(np.hypot(*(_centre(a) - _centre(b)))) / max(a.width, b.width)


def _close(boxes: Sequence[Box]) -> bool:
    """Tell whether any two boxes are less than a little more than a width apart."""
    if len(boxes) < 2:
        return False
    centres = np.stack([_centre(box) for box in boxes])
    widths = np.array([box.width for box in boxes])
    wider = np.maximum(widths[:, None], widths)
    apart = np.hypot(*np.moveaxis(centres[:, None] - centres, 2, 0)) / wider
    np.fill_diagonal(apart, np.inf)
    alike = wider <= _SIZES * np.minimum(widths[:, None], widths)  # no half of a face, found as one
    return bool((apart[alike] < _CLOSE).any())


def _centre(box: Box) -> NDArray[np.float64]:
    return np.array([box.x + box.width / 2, box.y + box.height / 2])

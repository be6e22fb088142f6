"""A film's timeline, built from its frames one by one: who was there, and what they showed when.

Every frame costs a few bytes a face (a number, half-precision scores, a label), so hours fit into memory.
What is counted and how is in docs/films.md, "Timeline and events".
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.core.emotions import Emotion
from mien.core.errors import OptionError
from mien.core.film import Damage, FilmHead
from mien.core.film_results import Event, FilmSummary, Moment, Segment, TrackSummary, Transition
from mien.core.results import Face, FrameAnalysis
from mien.core.video_options import DEFAULT_RATE
from mien.video.events import find_events

BRIEF_S = 0.25
"""Seconds: a face that is seen for less is no person."""
BRIDGED_S = 0.5
"""Seconds: a face that is out of sight for no longer is taken to show what it showed."""
_HELD_S = 1.0  # a frame stands for no longer, where frames are usually nearer
_USUAL = 3.0  # times the usual distance, which a frame may stand for as well
_REMEMBERED = 31  # distances between frames that tell what is usual
_UNCERTAIN = 255

Times = NDArray[np.float64]


@dataclass(eq=False)
class _Seen:
    """The frames in which one face is seen, in compact form."""

    places: array[int] = field(default_factory=lambda: array("I"))  # among the frames that were read
    labels: bytearray = field(default_factory=bytearray)
    scores: bytearray = field(default_factory=bytearray)  # float16 (frames, labels)


class Timeline:
    """Takes the frames of one film in their order; tells at any time what they come to.

    Args:
        head: of the film; its labels are those of every face.
    """

    def __init__(self, head: FilmHead) -> None:
        if len(head.labels) >= _UNCERTAIN:
            raise OptionError(f"a timeline has room for {_UNCERTAIN - 1} labels, not {len(head.labels)}")
        self._head = head
        self._index = {label: number for number, label in enumerate(head.labels)}
        self._frames = array("q")
        self._times = array("d")
        self._held = array("d")  # seconds that each frame but the last one stands for
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self._seen: dict[int, _Seen] = {}
        self._faces = 0

    def add(self, frame: FrameAnalysis) -> None:
        """Take the next frame.

        Raises:
            OptionError: it comes before the one before, or a face has other labels or no number.
        """
        if self._times:
            self._hold(frame)
        place = len(self._frames)
        self._frames.append(frame.index)
        self._times.append(frame.time_s)
        for face in frame.faces:
            self._take(place, face)
        self._faces += len(frame.faces)

    @property
    def frames(self) -> int:
        """How many frames there are so far."""
        return len(self._frames)

    def take_back(self) -> None:
        """Forget the newest frame, which could not be written."""
        place = len(self._frames) - 1
        self._frames.pop()
        self._times.pop()
        if self._held:
            self._held.pop()
            self._recent.pop()
        size = 2 * len(self._head.labels)
        for number, seen in list(self._seen.items()):
            if seen.places[-1] != place:
                continue
            seen.places.pop()
            seen.labels.pop()
            del seen.scores[-size:]
            self._faces -= 1
            if not seen.places:
                del self._seen[number]

    def summary(self, *, complete: bool = True, damage: Sequence[Damage] = ()) -> FilmSummary:
        """Return what the frames so far come to.

        Args:
            complete: False where the work was interrupted.
            damage: stretches that could not be decoded.
        """
        held = self._all_held()
        read_s = float(held.sum())
        tracks = tuple(self._track(number, held, read_s) for number in sorted(self._seen))
        persons = [track for track in tracks if not track.brief]
        seconds = Counter[str]()
        for track in persons:
            seconds.update({label: share * track.presence_s for label, share in track.shares.items()})
        events = [event for track in persons for event in self._events(track.track_id, held)]
        return FilmSummary(
            head=self._head,
            complete=complete,
            frames=len(self._frames),
            read_s=read_s,
            faces=self._faces,
            damage=tuple(damage),
            dominant=_most({label: seconds[label] for label in self._head.labels}),
            tracks=tracks,
            events=tuple(sorted(events, key=lambda event: (event.onset, event.track_id))),
        )

    def confidence(self, track_id: int, points: int) -> tuple[Times, Times]:
        """Return times and mean confidences of one track, in at most `points` equal steps of the film.

        Returns:
            float64 (steps,) each: the middle of every step in which the face is seen, and the mean there.
        """
        places, _, scores = self._arrays(track_id)
        times = np.frombuffer(self._times, np.float64)[places]
        end = max(self._times[-1], 1e-9)
        steps = np.minimum((times / end * points).astype(np.int64), points - 1)
        sums = np.bincount(steps, scores.max(axis=1, initial=0.0), points)
        counts = np.bincount(steps, minlength=points)
        filled = np.flatnonzero(counts)
        return (filled + 0.5) * end / points, sums[filled] / counts[filled]

    def _hold(self, frame: FrameAnalysis) -> None:
        """Settle how long the frame before was shown: a hole in the film is not counted."""
        passed = frame.time_s - self._times[-1]
        if passed < 0 or frame.index <= self._frames[-1]:
            raise OptionError(
                f"frames come in the order of time: {frame.index} at {frame.time_s:g} s came after "
                f"{self._frames[-1]} at {self._times[-1]:g} s"
            )
        self._recent.append(passed)
        self._held.append(min(passed, max(_HELD_S, _USUAL * float(np.median(self._recent)))))

    def _take(self, place: int, face: Face) -> None:
        if face.track_id is None:
            raise OptionError("a face of a film needs a track_id")
        if tuple(face.scores) != self._head.labels:
            raise OptionError(
                f"this film has the labels {', '.join(self._head.labels)}, not {', '.join(face.scores)}"
            )
        seen = self._seen.setdefault(face.track_id, _Seen())
        seen.places.append(place)
        seen.labels.append(_UNCERTAIN if face.emotion is None else self._index[face.emotion])
        seen.scores += np.array(list(face.scores.values()), np.float16).tobytes()

    def _all_held(self) -> Times:
        """Return what every frame stands for; the last one for as long as is usual."""
        if not self._times:
            return np.zeros(0)
        rate = self._head.source.rate or DEFAULT_RATE
        last = float(np.median(self._recent)) if self._recent else 1 / rate
        return np.append(np.frombuffer(self._held, np.float64), last)

    def _arrays(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.uint8], Times]:
        seen = self._seen[number]
        scores = np.frombuffer(bytes(seen.scores), np.float16).astype(np.float64)
        return (
            np.array(seen.places, np.int64),
            np.frombuffer(bytes(seen.labels), np.uint8),
            scores.reshape(-1, len(self._head.labels)),
        )

    def _track(self, number: int, held: Times, read_s: float) -> TrackSummary:
        places, labels, scores = self._arrays(number)
        weights = held[places]
        presence = float(weights.sum())
        if presence == 0:  # all at one time: every frame counts alike
            weights = np.full(len(places), 1e-9)
        total = float(weights.sum())
        seconds = np.bincount(labels, weights, _UNCERTAIN + 1)
        count = len(self._head.labels)
        shares = dict(zip(self._head.labels, (seconds[:count] / total).tolist(), strict=True))
        means = weights @ scores
        segments = tuple(self._segments(places, labels, scores, held))
        return TrackSummary(
            track_id=number,
            brief=presence < min(BRIEF_S, read_s / 2),
            first=self._moment(int(places[0])),
            last=self._moment(int(places[-1])),
            frames=len(places),
            presence_s=presence,
            share=min(1.0, presence / read_s) if read_s else 0.0,
            dominant=_most(shares),
            shares={label: min(1.0, share) for label, share in shares.items()},
            uncertain=min(1.0, float(seconds[_UNCERTAIN]) / total),
            scores=dict(zip(self._head.labels, (means / means.sum()).tolist(), strict=True)),
            transitions=_transitions(segments),
            segments=segments,
        )

    def _segments(
        self, places: NDArray[np.int64], labels: NDArray[np.uint8], scores: Times, held: Times
    ) -> Iterator[Segment]:
        times = np.frombuffer(self._times, np.float64)
        ends = times[places] + held[places]
        apart = self._apart(places, held)
        starts = np.flatnonzero(np.concatenate([[True], apart | (np.diff(labels) != 0)]))
        tops = scores.max(axis=1)
        for start, stop in pairwise([*starts.tolist(), len(places)]):
            # Bridged: it lasts until the next one begins.
            bridged = stop < len(places) and not apart[stop - 1]
            end = times[places[stop]] if bridged else ends[stop - 1]
            label = int(labels[start])
            yield Segment(
                label=None if label == _UNCERTAIN else self._head.labels[label],
                start=self._moment(int(places[start])),
                end_s=float(end),
                confidence=min(1.0, float(tops[start:stop].mean())),
            )

    def _apart(self, places: NDArray[np.int64], held: Times) -> NDArray[np.bool_]:
        """Tell between which frames of a face it was out of sight for too long to be bridged."""
        times = np.frombuffer(self._times, np.float64)[places]
        return np.asarray(times[1:] - (times[:-1] + held[places[:-1]]) > BRIDGED_S)

    def _events(self, number: int, held: Times) -> Iterator[Event]:
        places, labels, scores = self._arrays(number)
        times = np.frombuffer(self._times, np.float64)[places]
        cuts = (np.flatnonzero(self._apart(places, held)) + 1).tolist()
        for start, stop in pairwise([0, *cuts, len(places)]):
            for index, label in enumerate(self._head.labels):
                if label == Emotion.NEUTRAL:
                    continue
                curve, stated = scores[start:stop, index], labels[start:stop] == index
                if not stated.any():
                    continue
                for found in find_events(times[start:stop], curve, stated):
                    onset, apex, offset = (
                        self._moment(int(places[start + place]))
                        for place in (found.onset, found.apex, found.offset)
                    )
                    yield Event(number, label, onset, apex, offset, found.score)

    def _moment(self, place: int) -> Moment:
        return Moment(self._frames[place], self._times[place])


def _most(amounts: dict[str, float]) -> str | None:
    """Return the label with the largest amount, the first of equal ones; None where all are zero."""
    top = max(amounts, key=lambda label: amounts[label])
    return top if amounts[top] > 0 else None


def _transitions(segments: Sequence[Segment]) -> tuple[Transition, ...]:
    """Count changes of the stated emotion; uncertain stretches do not part, absence does."""
    counts = Counter[tuple[str, str]]()
    before: str | None = None
    end_s: float | None = None
    for segment in segments:
        if end_s is not None and segment.start.time_s > end_s + 1e-6:
            before = None
        end_s = segment.end_s
        if segment.label is None:
            continue
        if before not in (None, segment.label):
            counts[str(before), segment.label] += 1
        before = segment.label
    return tuple(Transition(*pair, count) for pair, count in counts.items())

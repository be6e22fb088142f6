"""What a film comes to: who was there, what they showed, and when.

How each number is defined is in docs/films.md, "Timeline and events".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mien.core._checks import finite, record, rows, text, whole
from mien.core.errors import OptionError
from mien.core.film import Damage, FilmHead
from mien.core.results import Scores


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A frame and its time.

    Attributes:
        frame: index in the source, from 0.
        time_s: seconds from the start of the source.
    """

    frame: int
    time_s: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", whole("frame", self.frame, least=0))
        object.__setattr__(self, "time_s", finite("time_s", self.time_s, low=0.0))

    def to_dict(self) -> dict[str, Any]:
        """Return plain `{"frame", "time_s"}`."""
        return {"frame": self.frame, "time_s": self.time_s}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Moment:
        """Return the moment that `to_dict` described."""
        return cls(**record(data, "a moment", ("frame", "time_s")))


@dataclass(frozen=True, slots=True)
class Event:
    """One expression from its beginning to its end.

    Attributes:
        track_id: whose.
        label: what it is read as.
        onset: the last frame before its score rises.
        apex: the first frame at its full height.
        offset: the first frame after it has gone.
        score: at the apex, in [0, 1].
    """

    track_id: int
    label: str
    onset: Moment
    apex: Moment
    offset: Moment
    score: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "track_id", whole("track id", self.track_id, least=0))
        object.__setattr__(self, "score", finite("apex score", self.score, low=0.0, high=1.0))
        text("event label", self.label)
        if not self.onset.frame <= self.apex.frame <= self.offset.frame:
            raise OptionError("an event has its onset, apex and offset in this order")

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return {
            "track_id": self.track_id,
            "label": self.label,
            "onset": self.onset.to_dict(),
            "apex": self.apex.to_dict(),
            "offset": self.offset.to_dict(),
            "score": self.score,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Event:
        """Return the event that `to_dict` described."""
        data = record(data, "an event", ("track_id", "label", "onset", "apex", "offset", "score"))
        moments = {name: Moment.from_dict(data[name]) for name in ("onset", "apex", "offset")}
        return cls(track_id=data["track_id"], label=data["label"], score=data["score"], **moments)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which one emotion is stated for a person, or none (uncertain).

    Attributes:
        label: the emotion; None where uncertain.
        start: its first frame.
        end_s: when it ends: the next one begins, or the last frame is over.
        confidence: mean of its frames, in [0, 1].
    """

    label: str | None
    start: Moment
    end_s: float
    confidence: float

    def __post_init__(self) -> None:
        if self.label is not None:
            text("segment label", self.label)
        object.__setattr__(self, "end_s", finite("end_s", self.end_s, low=self.start.time_s))
        object.__setattr__(self, "confidence", finite("confidence", self.confidence, low=0.0, high=1.0))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return {
            "label": self.label,
            "start": self.start.to_dict(),
            "end_s": self.end_s,
            "confidence": self.confidence,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Segment:
        """Return the segment that `to_dict` described."""
        data = record(data, "a segment", ("label", "start", "end_s", "confidence"))
        return cls(data["label"], Moment.from_dict(data["start"]), data["end_s"], data["confidence"])


@dataclass(frozen=True, slots=True)
class Transition:
    """How often one stated emotion gave way to another.

    Attributes:
        before, after: the labels.
        count: at least 1.
    """

    before: str
    after: str
    count: int

    def __post_init__(self) -> None:
        text("transition", self.before)
        text("transition", self.after)
        object.__setattr__(self, "count", whole("transition count", self.count, least=1))

    def to_dict(self) -> dict[str, Any]:
        """Return plain `{"before", "after", "count"}`."""
        return {"before": self.before, "after": self.after, "count": self.count}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Transition:
        """Return the transition that `to_dict` described."""
        return cls(**record(data, "a transition", ("before", "after", "count")))


_TRACK_FIELDS = (
    "track_id",
    "brief",
    "first",
    "last",
    "frames",
    "presence_s",
    "share",
    "dominant",
    "shares",
    "uncertain",
    "scores",
    "transitions",
    "segments",
)


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """One person through the film.

    Attributes:
        track_id: as in the frames.
        brief: seen for too short to be counted as a person.
        first, last: frames in which the face is seen.
        frames: in which it is seen.
        presence_s: seconds for which it is seen.
        share: of the time that was read, in [0, 1].
        dominant: the emotion stated for longest; None where none ever is.
        shares: of the presence, for each label, in card order.
        uncertain: share of the presence without a stated emotion; with `shares` it comes to 1.
        scores: mean probability of each label over the presence, in card order.
        transitions: in the order of their first time.
        segments: the stated emotion over time.
    """

    track_id: int
    brief: bool
    first: Moment
    last: Moment
    frames: int
    presence_s: float
    share: float
    dominant: str | None
    shares: Mapping[str, float]
    uncertain: float
    scores: Mapping[str, float]
    transitions: tuple[Transition, ...]
    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "track_id", whole("track id", self.track_id, least=0))
        object.__setattr__(self, "frames", whole("frames", self.frames, least=1))
        object.__setattr__(self, "presence_s", finite("presence_s", self.presence_s, low=0.0))
        for name in ("share", "uncertain"):
            object.__setattr__(self, name, finite(name, getattr(self, name), low=0.0, high=1.0))
        shares = {
            text("a label", label): finite(f"share of {label!r}", value, low=0.0, high=1.0)
            for label, value in self.shares.items()
        }
        object.__setattr__(self, "shares", shares)
        if not isinstance(self.scores, Scores):
            object.__setattr__(self, "scores", Scores(self.scores))
        if self.dominant is not None and self.dominant not in shares:
            raise OptionError(f"the dominant emotion {self.dominant!r} is none of the labels")
        object.__setattr__(self, "transitions", tuple(self.transitions))
        object.__setattr__(self, "segments", tuple(self.segments))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return {
            "track_id": self.track_id,
            "brief": self.brief,
            "first": self.first.to_dict(),
            "last": self.last.to_dict(),
            "frames": self.frames,
            "presence_s": self.presence_s,
            "share": self.share,
            "dominant": self.dominant,
            "shares": dict(self.shares),
            "uncertain": self.uncertain,
            "scores": dict(self.scores),
            "transitions": [one.to_dict() for one in self.transitions],
            "segments": [one.to_dict() for one in self.segments],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrackSummary:
        """Return the track that `to_dict` described."""
        data = record(data, "a track", _TRACK_FIELDS)
        made = {
            "first": Moment.from_dict(data["first"]),
            "last": Moment.from_dict(data["last"]),
            "transitions": tuple(
                Transition.from_dict(one) for one in rows(data["transitions"], "transitions")
            ),
            "segments": tuple(Segment.from_dict(one) for one in rows(data["segments"], "segments")),
        }
        return cls(**{**data, **made})


_FILM_FIELDS = (
    "head",
    "complete",
    "frames",
    "read_s",
    "faces",
    "damage",
    "dominant",
    "tracks",
    "events",
)


@dataclass(frozen=True, slots=True)
class FilmSummary:
    """The whole film.

    Attributes:
        head: its source, the labels, and what repeats the result.
        complete: False where the work was interrupted; all numbers are of what was read until then.
        frames: that were read.
        read_s: seconds that the frames which were read stand for.
        faces: in all of them.
        damage: stretches that could not be decoded.
        dominant: the emotion stated for longest, over all persons; None where none is.
        tracks: in the order of their numbers, brief ones among them.
        events: in the order of their onsets.
    """

    head: FilmHead
    complete: bool
    frames: int
    read_s: float
    faces: int
    damage: tuple[Damage, ...]
    dominant: str | None
    tracks: tuple[TrackSummary, ...]
    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        for name in ("frames", "faces"):
            object.__setattr__(self, name, whole(name, getattr(self, name), least=0))
        object.__setattr__(self, "read_s", finite("read_s", self.read_s, low=0.0))
        for name in ("damage", "tracks", "events"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.dominant is not None:
            text("dominant emotion", self.dominant)

    @property
    def persons(self) -> tuple[TrackSummary, ...]:
        """The tracks that are not brief."""
        return tuple(track for track in self.tracks if not track.brief)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only; the number of `persons` is written for readers."""
        return {
            "head": self.head.to_dict(),
            "complete": self.complete,
            "frames": self.frames,
            "read_s": self.read_s,
            "faces": self.faces,
            "persons": len(self.persons),
            "damage": [one.to_dict() for one in self.damage],
            "dominant": self.dominant,
            "tracks": [one.to_dict() for one in self.tracks],
            "events": [one.to_dict() for one in self.events],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FilmSummary:
        """Return the summary that `to_dict` described."""
        data = record(data, "the summary of a film", _FILM_FIELDS, derived=("persons",))
        return cls(
            head=FilmHead.from_dict(data["head"]),
            complete=bool(data["complete"]),
            frames=data["frames"],
            read_s=data["read_s"],
            faces=data["faces"],
            damage=tuple(Damage.from_dict(one) for one in rows(data["damage"], "damage")),
            dominant=data["dominant"],
            tracks=tuple(TrackSummary.from_dict(one) for one in rows(data["tracks"], "tracks")),
            events=tuple(Event.from_dict(one) for one in rows(data["events"], "events")),
        )

"""A film of a few frames and what it came to, for the tests of what is written about films."""

from __future__ import annotations

from hypothesis import strategies as st
from record_strategies import finite, names, score_mappings

from mien.core.emotions import DEFAULT_LABELS
from mien.core.film import Damage, FilmFrame, FilmHead, SourceInfo
from mien.core.film_results import Event, FilmSummary, Moment, Segment, TrackSummary, Transition
from mien.core.geometry import Box
from mien.core.results import Face, FrameAnalysis, ModelReference, Quality, Scores

__all__ = ["film_frames", "finite", "head", "person", "summary"]

LABELS = DEFAULT_LABELS


def head(name: str = "films/talk.mp4", labels: tuple[str, ...] = LABELS) -> FilmHead:
    """Return what is known before the frames."""
    source = SourceInfo(name, 640, 360, 25.0, 10.0, 250, "h264", has_sound=True)
    return FilmHead(source, labels, ModelReference("mien-test", "cd" * 32), "yunet", "01" * 8, "fe" * 8)


def frame(index: int, *stated: str | None, labels: tuple[str, ...] = LABELS) -> FrameAnalysis:
    """Return a frame with one face for each label, tracks from 0; None is uncertain."""
    faces = []
    for track, label in enumerate(stated):
        top, high = label or labels[0], 0.8 if label else 0.3
        scores = {name: high if name == top else (1 - high) / (len(labels) - 1) for name in labels}
        box = Box(10 + 60 * track, 20, 40, 50)
        quality = Quality(40, 100.0, 99.0)
        faces.append(Face(box, Scores(scores), label, quality, 0.9, track_id=track))
    return FrameAnalysis(index, index / 25, tuple(faces))


def person(
    track_id: int,
    *segments: tuple[str | None, float, float],
    brief: bool = False,
    labels: tuple[str, ...] = LABELS,
) -> TrackSummary:
    """Return a track from its segments: label, start and end in seconds."""
    first, last = segments[0][1], segments[-1][2]
    seconds = {label: sum(e - s for name, s, e in segments if name == label) for label in (*labels, None)}
    total = sum(seconds.values()) or 1.0
    return TrackSummary(
        track_id=track_id,
        brief=brief,
        first=moment(first),
        last=moment(last),
        frames=10,
        presence_s=total,
        share=0.5,
        dominant=max(labels, key=lambda label: seconds[label]),
        shares={label: seconds[label] / total for label in labels},
        uncertain=seconds[None] / total,
        scores=dict.fromkeys(labels, 1 / len(labels)),
        transitions=(Transition(labels[0], labels[1], 2),),
        segments=tuple(Segment(label, moment(s), e, 0.7) for label, s, e in segments),
    )


def moment(time_s: float) -> Moment:
    return Moment(round(time_s * 25), time_s)


def summary(
    *tracks: TrackSummary, name: str = "films/talk.mp4", labels: tuple[str, ...] = LABELS
) -> FilmSummary:
    """Return what a film with these tracks came to."""
    event = Event(0, labels[0], moment(1.0), moment(1.2), moment(2.0), 0.9)
    return FilmSummary(
        head(name, labels), True, 250, 10.0, 300, (Damage(1.0, 2.0, 25),), labels[0], tracks, (event,)
    )


@st.composite
def film_frames(draw: st.DrawFn) -> FilmFrame:
    """Any frame of a film."""
    scores = draw(st.lists(score_mappings(), max_size=3))
    faces = tuple(
        Face(
            Box(1, 2, 3, 4),
            one,
            draw(st.sampled_from([None, max(one, key=one.__getitem__)])),
            Quality(3, 1.0, 2.0),
            0.5,
            track_id=number,
        )
        for number, one in enumerate(scores)
    )
    analysis = FrameAnalysis(draw(st.integers(0, 10**9)), draw(st.floats(0, 1e6)), faces)
    return FilmFrame(draw(names), 640, 360, analysis, ModelReference("m", "ab" * 32), "haar", "a-b")

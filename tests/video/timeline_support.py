"""Frames with made-up faces, and curves of scores that rise, hold and fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mien.core.emotions import DEFAULT_LABELS
from mien.core.film import FilmHead, SourceInfo
from mien.core.geometry import Box
from mien.core.results import Face, FrameAnalysis, ModelReference, Quality, Scores
from mien.video.timeline import Timeline

RATE = 25.0


def head(rate: float | None = RATE, name: str = "talk.mp4") -> FilmHead:
    """Return what is known of a film before its frames."""
    return FilmHead(
        SourceInfo(name, 640, 360, rate, 10.0, 250, "h264"),
        DEFAULT_LABELS,
        ModelReference("mien-test", "cd" * 32),
        "yunet",
        "0123456789abcdef",
        "fedcba9876543210",
    )


def face(track_id: int, label: str | None, confidence: float = 0.8) -> Face:
    """Return a face with one label on top; None is uncertain, "neutral" likeliest."""
    if label is None:
        confidence = min(confidence, 0.4)
    top = label or "neutral"
    rest = (1 - confidence) / (len(DEFAULT_LABELS) - 1)
    scores = {name: confidence if name == top else rest for name in DEFAULT_LABELS}
    box = Box(10 + 60 * track_id, 20, 40, 50)
    return Face(box, Scores(scores), label, Quality(40, 100.0, 99.0), 0.9, track_id=track_id)


def scored(track_id: int, happy: float) -> Face:
    """Return a face that is happy with this probability, else neutral; stated from a half on."""
    rest = (1 - happy) / 10
    scores = dict.fromkeys(DEFAULT_LABELS, rest) | {"happy": happy, "neutral": 5 * rest}
    top = max(scores, key=lambda label: scores[label])
    box = Box(10, 20, 40, 50)
    stated = top if scores[top] >= 0.45 else None
    return Face(box, Scores(scores), stated, Quality(40, 100.0, 99.0), 0.9, track_id=track_id)


def timeline(
    frames: Sequence[Mapping[int, str | None]],
    times: Sequence[float] | None = None,
    rate: float | None = RATE,
) -> Timeline:
    """Return the timeline of frames, each `{track: label}`, at a rate or at `times`."""
    built = Timeline(head(rate))
    for index, faces in enumerate(frames):
        time_s = index / RATE if times is None else times[index]
        shown = tuple(face(track, label) for track, label in faces.items())
        built.add(FrameAnalysis(index, time_s, shown))
    return built


def hill(
    frames: int, start: int, rise: int, hold: int, fall: int, base: float = 0.05, top: float = 0.9
) -> NDArray[np.float64]:
    """Return a curve that leaves `base` at `start`, rises, holds and falls again, in straight lines."""
    place = np.arange(frames)
    up = np.clip((place - start) / rise, 0, 1)
    down = np.clip((place - start - rise - hold) / fall, 0, 1)
    return base + (top - base) * (up - down)

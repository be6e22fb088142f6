"""Faces to save."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from mien.core.emotions import DEFAULT_LABELS
from mien.core.geometry import Box, Landmarks
from mien.core.results import Face, Quality

START = datetime(2026, 3, 4, 5, 6, 7, 89)


def face(
    top: str = "happy",
    confidence: float = 0.873,
    *,
    uncertain: bool = False,
    track: int | None = 0,
    doubts: tuple[str, ...] = (),
    labels: tuple[str, ...] = DEFAULT_LABELS,
    marked: bool = True,
) -> Face:
    """Return a face in the middle of a picture of 160 × 120 pixels."""
    rest = (1 - confidence) / (len(labels) - 1)
    marks = Landmarks.from_array([[70, 52], [90, 52], [80, 62], [73, 72], [87, 72]]) if marked else None
    return Face(
        box=Box(60, 40, 40, 44),
        scores={label: confidence if label == top else rest for label in labels},
        emotion=None if uncertain else top,
        quality=Quality(40, 500.0, 120.0, None, doubts),
        detection_score=0.9,
        landmarks=marks,
        track_id=track,
    )


class Calendar:
    """The time, a second later at each look."""

    def __init__(self, step: timedelta = timedelta(seconds=1)) -> None:
        self._times = self._count(step)

    def __call__(self) -> datetime:
        return next(self._times)

    @staticmethod
    def _count(step: timedelta) -> Iterator[datetime]:
        number = 0
        while True:
            yield START + number * step
            number += 1

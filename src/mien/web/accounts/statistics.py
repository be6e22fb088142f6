"""What a user has had read so far, counted by the database."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min

from mien.web.analyses.models import AnalysedFace, Analysis


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one user.

    Attributes:
        analyses: pictures that were read.
        faces: in them.
        first: when the first of those that are kept was read.
        last: when the latest was.
        emotions: label (None: uncertain), faces, share of all faces in [0, 1]; the most frequent first.
    """

    analyses: int
    faces: int
    first: datetime.datetime | None
    last: datetime.datetime | None
    emotions: tuple[tuple[str | None, int, float], ...]


def of(user: Any) -> Statistics:
    """Return what `user` has had read and still has."""
    overall = Analysis.objects.of(user).aggregate(
        count=Count("id"), first=Min("created"), last=Max("created")
    )
    rows = AnalysedFace.objects.of(user).order_by().values("emotion").annotate(count=Count("id"))
    counted = sorted(((row["emotion"], row["count"]) for row in rows), key=lambda pair: -pair[1])
    faces = sum(count for _label, count in counted)
    return Statistics(
        overall["count"],
        faces,
        overall["first"],
        overall["last"],
        tuple((label, count, count / faces) for label, count in counted),
    )

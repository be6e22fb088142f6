"""What several analyses show together, counted by the database."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Avg, Count

from mien.web.analyses.models import AnalysedFace, OwnedQuerySet


class Share(NamedTuple):
    """How many faces show an emotion (None: uncertain), and how sure that is on average."""

    emotion: str | None
    faces: int
    share: float
    confidence: float


class Report(NamedTuple):
    """Totals of several analyses."""

    photos: int
    faces: int
    without_face: int
    kept: int
    confidence: float | None
    shares: list[Share]


def of(analyses: OwnedQuerySet) -> Report:
    """Return the totals of `analyses`; emotions with most faces first."""
    faces = AnalysedFace.objects.filter(analysis__in=analyses.order_by().values("pk"))
    total: dict[str, Any] = faces.aggregate(faces=Count("pk"), confidence=Avg("confidence"))
    counted = faces.order_by().values_list("emotion").annotate(n=Count("pk"), sure=Avg("confidence"))
    return Report(
        photos=analyses.count(),
        faces=total["faces"],
        without_face=analyses.filter(face_count=0).count(),
        kept=analyses.exclude(picture=None).count(),
        confidence=total["confidence"],
        shares=[Share(e, n, n / total["faces"], sure) for e, n, sure in counted.order_by("-n", "emotion")],
    )

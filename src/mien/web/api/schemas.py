"""The shapes of `/api/v1`: results as the library writes them, and what the server knows beside them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils import timezone
from ninja import Field, Schema
from pydantic import AfterValidator

from mien.web.analyses.models import Analysis, Batch

SOURCES = Literal["upload", "api", "camera", "film"]


def _in_utc(given: datetime) -> datetime:
    """Return a moment as the database takes it; without a zone it is the server's."""
    try:
        return (timezone.make_aware(given) if timezone.is_naive(given) else given).astimezone(UTC)
    except OverflowError:
        raise ValueError("before the year 1 or after the year 9999") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class BoxOut(Schema):
    """Whole pixels of the upright picture, inside it."""

    x: int
    y: int
    width: int
    height: int


class PoseOut(Schema):
    """Degrees: roll towards the viewer's right, yaw with the nose to the right, pitch upwards."""

    roll: float
    yaw: float
    pitch: float


class QualityOut(Schema):
    """How well the face can be read; `reasons` is empty for a good one."""

    size: int
    sharpness: float
    brightness: float
    pose: PoseOut | None
    reasons: list[str]


class FaceOut(Schema):
    """One face; `emotion` is null where no label is likely enough, `top` is the likeliest all the same."""

    box: BoxOut
    emotion: str | None
    top: str
    confidence: float = Field(ge=0, le=1)
    scores: dict[str, float]
    detection_score: float | None
    landmarks: dict[str, list[float]] | None
    quality: QualityOut


class ModelReferenceOut(Schema):
    """The classifier: its name and the SHA-256 of its file."""

    name: str
    digest: str


class AnalysisOut(Schema):
    """Every face of one photo, the largest first."""

    id: UUID
    created: datetime
    name: str
    source: SOURCES
    batch: UUID | None
    width: int
    height: int
    faces: list[FaceOut]
    model: ModelReferenceOut
    detector: str
    options: str
    elapsed_s: float
    version: str
    notes: str
    tags: list[str]
    picture_kept: bool


class AnalysisPage(Schema):
    """Some analyses, newest first; `next` is the cursor of those after them, null at the end."""

    items: list[AnalysisOut]
    next: str | None


class FailureOut(Schema):
    """A photo of a batch that was not read."""

    name: str
    why: str


class BatchOut(Schema):
    """Several photos that were sent together."""

    id: UUID
    created: datetime
    title: str
    total: int
    done: int
    failed: int
    finished: bool
    failures: list[FailureOut]


class BatchPage(Schema):
    """Some batches, newest first; `next` is the cursor of those after them, null at the end."""

    items: list[BatchOut]
    next: str | None


def analysis_out(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis in the shape of AnalysisOut."""
    result = analysis.result().to_dict()
    result.pop("source")
    return {
        **result,
        "id": analysis.uid,
        "created": analysis.created,
        "name": analysis.name,
        "source": str(analysis.source),
        "batch": analysis.batch.uid if analysis.batch else None,
        "notes": analysis.notes,
        "tags": [tag.name for tag in analysis.tags.all()],
        "picture_kept": hasattr(analysis, "picture"),
    }


def batch_out(batch: Batch) -> dict[str, Any]:
    """Return a batch in the shape of BatchOut."""
    return {
        "id": batch.uid,
        "created": batch.created,
        "title": batch.title,
        "total": batch.total,
        "done": batch.done,
        "failed": batch.failed,
        "finished": batch.is_finished,
        "failures": batch.failures,
    }

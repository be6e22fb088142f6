"""`/api/v1/statistics` and `/api/v1/export`: the numbers of the dashboards, and results as files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema

from mien.web.accounts.models import Scope
from mien.web.analyses import exports
from mien.web.analyses.export_views import download
from mien.web.analyses.models import Batch
from mien.web.api.analyses import Wanted, wanted_of
from mien.web.api.callers import account
from mien.web.api.documents import file_answer, refusals
from mien.web.api.problems import ProblemError
from mien.web.dashboard.statistics import period_for, statistics

router = Router(tags=["reports"])
_READ = account(Scope.READ)
_Short = Annotated[str, Query(max_length=60)]


class PeriodOut(Schema):
    """The days that are counted, the first and the last included."""

    name: str
    first: str
    last: str
    time_zone: str


class EmotionOut(Schema):
    """The faces of one emotion; null are the uncertain ones."""

    emotion: str | None
    faces: int
    share: float
    mean_confidence: float


class SourceOut(Schema):
    """What came in by one way."""

    source: str
    analyses: int
    faces: int


class BinOut(Schema):
    """Faces by confidence."""

    least: float
    below: float
    faces: int


class TimeOut(Schema):
    """What was read from `start` on."""

    start: str
    analyses: int
    faces: int


class ClockOut(Schema):
    """What was read in an hour (0 to 23) or on a weekday (1, Monday, to 7)."""

    number: int
    analyses: int
    faces: int


class StatisticsOut(Schema):
    """The numbers of one period; `unit` is what `over_time` is counted by."""

    period: PeriodOut
    analyses: int
    faces: int
    mean_confidence: float | None
    emotions: list[EmotionOut]
    histogram: list[BinOut]
    sources: list[SourceOut]
    unit: str
    over_time: list[TimeOut]
    hours: list[ClockOut]
    weekdays: list[ClockOut]


@router.get(
    "/statistics",
    response=StatisticsOut,
    auth=_READ,
    operation_id="statistics",
    summary="Numbers of a period",
    openapi_extra=refusals(),
)
def numbers(
    request: HttpRequest,
    period: _Short = "",
    first: _Short = "",
    last: _Short = "",
    time_zone: _Short = "",
    everyone: bool = False,
) -> Any:
    """Return use, emotions and confidence of a period: 7d, 30d, 90d, 12m, all, or days (`first`, `last`).

    `everyone` counts all accounts together; only administrators may ask for it.
    """
    if everyone and not request.user.is_administrator:
        raise ProblemError(403, "Only administrators may count everyone's analyses.")
    owner = None if everyone else request.user
    found = statistics(owner, period_for(owner, period, first, last, time_zone)).to_dict()
    days = found["period"]
    found["period"] = {**days, "first": days["from"], "last": days["to"]}
    return found


@router.get(
    "/export",
    auth=_READ,
    operation_id="export",
    summary="Analyses as a file",
    openapi_extra=file_answer(exports.TYPES, 413),
)
def export(request: HttpRequest, format: Literal["csv", "json", "xlsx", "zip"], wanted: Query[Wanted]) -> Any:
    """Return the analyses that are wanted as one file, newest first; zip has the kept pictures too."""
    batch = Batch.objects.of(request.user).filter(uid=wanted.batch).first() if wanted.batch else None
    rows = wanted_of(request.user, wanted).order_by("-created", "-id")
    try:
        file = exports.export(rows, format, batch=batch)
    except exports.TooManyPicturesError:
        most = settings.MIEN.batch_photos
        raise ProblemError(413, f"A ZIP holds {most} pictures at most; narrow the analyses down.") from None
    return download(request, file, f"mien.{format}", exports.TYPES[format])

"""The numbers of a dashboard: one function for pages and for the REST service."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import F, IntegerField, QuerySet, Sum
from django.db.models.functions import Cast

from mien.core.emotions import Emotion
from mien.web.analyses.models import Analysis
from mien.web.dashboard.models import BINS, EVERYONE, QUARTER, Reading, Use
from mien.web.dashboard.periods import Period, choose

_MILLION = 1_000_000
# the longest period that is shown by day, and by week; what is longer is shown by month
_BY_DAY, _BY_WEEK = 93, 740


@dataclass(frozen=True)
class EmotionCount:
    """The faces that showed one emotion; None are the uncertain ones. Shares and confidence in [0, 1]."""

    emotion: str | None
    faces: int
    share: float
    mean_confidence: float


@dataclass(frozen=True)
class SourceCount:
    """What came in by one way: a value of `Source`."""

    source: str
    analyses: int
    faces: int


@dataclass(frozen=True)
class BinCount:
    """The faces whose confidence is at least `least` and below `below` (the last bin has 1 as well)."""

    least: float
    below: float
    faces: int


@dataclass(frozen=True)
class TimeCount:
    """What was read in a day, week or month that begins at `start`, or in an hour of that one day."""

    start: str
    analyses: int
    faces: int


@dataclass(frozen=True)
class ClockCount:
    """What was read in an hour (0 to 23) or on a weekday (1, Monday, to 7), all days together."""

    number: int
    analyses: int
    faces: int


@dataclass(frozen=True)
class Statistics:
    """All numbers of one period. `unit` is what `over_time` is counted by: hour, day, week or month."""

    period: Period
    analyses: int
    faces: int
    mean_confidence: float | None
    emotions: tuple[EmotionCount, ...]
    histogram: tuple[BinCount, ...]
    sources: tuple[SourceCount, ...]
    unit: str
    over_time: tuple[TimeCount, ...]
    hours: tuple[ClockCount, ...]
    weekdays: tuple[ClockCount, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        plain = asdict(self)
        plain["period"] = {
            "name": self.period.name,
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "time_zone": self.period.zone,
        }
        return plain


def period_for(owner: Any, name: str = "", first: str = "", last: str = "", zone: str = "") -> Period:
    """Return the period that someone asks for; `all` begins with the owner's first analysis.

    Args:
        owner: a user; None: everyone.
        name: as in `periods.choose`.
        first: as there.
        last: as there.
        zone: as there.

    Raises:
        OptionError: one of them cannot be.
    """
    found = Analysis.objects.all() if owner is None else Analysis.objects.filter(owner=owner)
    oldest = found.order_by("created", "id").values_list("created", flat=True).first()
    return choose(name, first, last, zone, oldest=oldest)


def statistics(owner: Any, period: Period) -> Statistics:
    """Return the numbers of a user's period.

    Args:
        owner: a user; None: everyone, which only administrators may see: the caller sees to that.
        period: of `period_for`.
    """
    found = queries(owner, period)
    emotions = {row["emotion"]: row for row in found["emotions"]}
    faces = sum(row["total"] for row in emotions.values())
    sources = tuple(
        SourceCount(row["source"], row["photos"], row["total"])
        for row in sorted(found["sources"], key=lambda row: -row["photos"])
    )
    unit, over_time = _over_time(list(found["over_time"]), period)
    clock = list(found["clock"])
    return Statistics(
        period=period,
        analyses=sum(source.analyses for source in sources),
        faces=faces,
        mean_confidence=_mean(sum(row["sure"] for row in emotions.values()), faces),
        emotions=tuple(
            EmotionCount(
                label or None, row["total"], row["total"] / faces, _mean(row["sure"], row["total"]) or 0.0
            )
            for label, row in sorted(emotions.items(), key=lambda item: _place(item[0]))
        ),
        histogram=tuple(
            BinCount(number / 10, (number + 1) / 10, sum(row[f"in_{name}"] for row in emotions.values()))
            for number, name in enumerate(BINS)
        ),
        sources=sources,
        unit=unit,
        over_time=over_time,
        hours=_clock(clock, "hour", range(24)),
        weekdays=_clock(clock, "weekday", range(1, 8)),
    )


def queries(owner: Any, period: Period) -> dict[str, QuerySet[Any]]:
    """Return the queries that the database answers for `statistics`, by name."""
    scope = EVERYONE if owner is None else owner.pk
    totals = period.totals(scope)
    quarters = Use.objects.filter(scope=scope, span=QUARTER, slot__gte=period.start, slot__lt=period.end)
    numbers = {"photos": Sum("analyses"), "total": Sum("faces")}
    local = quarters.annotate(local=Cast(period.local_s(), IntegerField()))
    step = 3600 if period.days == 1 else 86_400
    # 1970 began on a Thursday
    weekday = (F("local") / 86_400 + 3) % 7 + 1
    return {
        "emotions": Reading.objects.filter(totals)
        .values("emotion")
        .annotate(total=Sum("faces"), sure=Sum("confidence"), **{f"in_{name}": Sum(name) for name in BINS}),
        "sources": Use.objects.filter(totals).values("source").annotate(**numbers),
        "over_time": local.annotate(step=F("local") / step).values("step").annotate(**numbers),
        "clock": local.annotate(hour=F("local") / 3600 % 24, weekday=weekday)
        .values("hour", "weekday")
        .annotate(**numbers),
    }


def _over_time(rows: list[dict[str, Any]], period: Period) -> tuple[str, tuple[TimeCount, ...]]:
    """Fill in what nothing was read in, and put days together where there are many."""
    analyses: Counter[str] = Counter()
    faces: Counter[str] = Counter()
    if period.days == 1:
        unit, starts = "hour", [f"{period.first}T{hour:02}:00" for hour in range(24)]
        names = {row["step"]: datetime.fromtimestamp(row["step"] * 3600, UTC) for row in rows}
        shown = {step: f"{moment:%Y-%m-%dT%H:00}" for step, moment in names.items()}
    else:
        unit = "day" if period.days <= _BY_DAY else "week" if period.days <= _BY_WEEK else "month"
        days = (period.first + timedelta(days=number) for number in range(period.days))
        starts = list(dict.fromkeys(_begin(day, unit).isoformat() for day in days))
        epoch = date(1970, 1, 1)
        shown = {row["step"]: _begin(epoch + timedelta(days=row["step"]), unit).isoformat() for row in rows}
    for row in rows:
        analyses[shown[row["step"]]] += row["photos"]
        faces[shown[row["step"]]] += row["total"]
    return unit, tuple(TimeCount(start, analyses[start], faces[start]) for start in starts)


def _begin(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _clock(rows: list[dict[str, Any]], key: str, numbers: range) -> tuple[ClockCount, ...]:
    analyses: Counter[int] = Counter()
    faces: Counter[int] = Counter()
    for row in rows:
        analyses[row[key]] += row["photos"]
        faces[row[key]] += row["total"]
    return tuple(ClockCount(number, analyses[number], faces[number]) for number in numbers)


def _mean(millionths: int, faces: int) -> float | None:
    return float(millionths) / faces / _MILLION if faces else None


def _place(label: str) -> tuple[int, str]:
    """Known labels in their usual order, then others by name, the uncertain last."""
    known = [str(emotion) for emotion in Emotion]
    return (known.index(label) if label in known else len(known) + (not label), label)

"""The numbers of a dashboard, against counting every face by hand; whoever writes, and in every time zone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection

from mien.core.errors import OptionError
from mien.web.analyses.models import AnalysedFace, Analysis
from mien.web.dashboard import totals
from mien.web.dashboard.models import Reading, Use
from mien.web.dashboard.periods import Period, choose
from mien.web.dashboard.statistics import period_for, statistics

LABELS = ("angry", "happy", None, "puzzled")


@pytest.fixture
def read(db):
    """A function that writes one analysis of a moment with faces, as the store does."""

    def make(owner, moment: datetime, faces=(("happy", 0.9),), source: str = "upload") -> Analysis:
        analysis = Analysis.objects.create(
            owner=owner,
            created=moment,
            source=source,
            width=9,
            height=9,
            elapsed_s=0.1,
            face_count=len(faces),
        )
        AnalysedFace.objects.bulk_create(
            AnalysedFace(
                analysis=analysis,
                owner=owner,
                created=moment,
                source=source,
                position=position,
                emotion=emotion,
                top=emotion or "sad",
                confidence=confidence,
                scores=[],
                x=0,
                y=0,
                width=9,
                height=9,
                quality={},
            )
            for position, (emotion, confidence) in enumerate(faces)
        )
        return analysis

    return make


@pytest.fixture
def year(read, ann, bob):
    """Fifteen months of two users, around the clock."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(240):
        moment = begin + timedelta(minutes=number * 2741)
        faces = [(LABELS[(number + at) % 4], (number * 37 + at * 11) % 101 / 100) for at in range(number % 3)]
        read((ann, bob)[number % 5 == 0], moment, faces, ("upload", "api")[number % 7 == 0])


def by_hand(owner, period: Period) -> dict[str, object]:
    """The same numbers from every row."""
    zone = ZoneInfo(period.zone)

    def inside(rows):
        rows = rows.filter(owner=owner) if owner else rows.all()
        local = [(row, row.created.astimezone(zone)) for row in rows]
        return [(row, moment) for row, moment in local if period.first <= moment.date() <= period.last]

    analyses, faces = inside(Analysis.objects), inside(AnalysedFace.objects)
    return {
        "analyses": len(analyses),
        "faces": len(faces),
        "emotions": Counter(face.emotion for face, _ in faces),
        "sure": {
            label: sum(face.confidence for face, _ in faces if face.emotion == label) for label in LABELS
        },
        "histogram": Counter(min(9, int(round(face.confidence * 100) // 10)) for face, _ in faces),
        "sources": Counter(analysis.source for analysis, _ in analyses),
        "hours": Counter(moment.hour for _, moment in analyses),
        "weekdays": Counter(moment.isoweekday() for _, moment in faces),
        "days": Counter(moment.date().isoformat() for _, moment in analyses),
    }


def assert_right(owner, period: Period) -> None:
    found, hand = statistics(owner, period), by_hand(owner, period)
    assert (found.analyses, found.faces) == (hand["analyses"], hand["faces"])
    assert {count.emotion: count.faces for count in found.emotions} == hand["emotions"]
    for count in found.emotions:
        assert count.mean_confidence * count.faces == pytest.approx(hand["sure"][count.emotion], abs=1e-4)
        assert count.share == pytest.approx(count.faces / hand["faces"])
    assert {at: count.faces for at, count in enumerate(found.histogram) if count.faces} == hand["histogram"]
    assert {count.source: count.analyses for count in found.sources if count.analyses} == hand["sources"]
    assert {count.number: count.analyses for count in found.hours if count.analyses} == hand["hours"]
    assert {count.number: count.faces for count in found.weekdays if count.faces} == hand["weekdays"]
    if found.unit == "day":
        assert len(found.over_time) == period.days
        assert {count.start: count.analyses for count in found.over_time if count.analyses} == hand["days"]
    assert sum(count.faces for count in found.over_time) == hand["faces"]


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Bucharest", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"]
)
@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2025, 3, 30), date(2025, 3, 30)),
        (date(2025, 3, 29), date(2025, 3, 31)),
        (date(2025, 2, 3), date(2025, 4, 20)),
        (date(2025, 1, 1), date(2025, 12, 31)),
        (date(2024, 12, 30), date(2027, 1, 31)),
        (date(2030, 1, 1), date(2030, 1, 2)),
    ],
)
def test_the_numbers_are_those_of_counting(year, ann, zone: str, first: date, last: date) -> None:
    for owner in (ann, None):
        assert_right(owner, Period("days", first, last, zone))


def kept() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Use, Reading)]


def test_rows_that_change_or_go_leave_nothing(year, ann, bob) -> None:
    everything = Period("days", date(2024, 12, 1), date(2026, 12, 1), "UTC")
    AnalysedFace.objects.filter(owner=ann, emotion="angry").update(emotion=None, confidence=0.25)
    Analysis.objects.filter(owner=ann, source="api").update(source="film")
    Analysis.objects.filter(owner=bob).order_by("created")[3].delete()
    assert_right(ann, everything)
    assert_right(None, everything)
    before = kept()
    totals.rebuild()
    assert kept() == before
    for user in (ann, bob):
        user.delete()
    assert kept() == [[], []]


def test_counting_anew_puts_right_what_was_changed_by_hand(year, ann) -> None:
    before = kept()
    Use.objects.update(analyses=0)
    Reading.objects.all().delete()
    call_command("rebuild_totals")
    assert kept() == before


def test_triggers_that_a_migration_lost_are_made_again(year, ann) -> None:
    before = kept()
    table = AnalysedFace._meta.db_table
    with connection.cursor() as cursor:
        on = f" ON {table}" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER {table}_delete_totals{on}")
    AnalysedFace.objects.filter(owner=ann).delete()
    assert kept() == before
    totals.install()
    assert_right(ann, Period("days", date(2024, 12, 1), date(2026, 12, 1), "UTC"))


def test_units_follow_the_length(ann) -> None:
    for days, unit, points in ((1, "hour", 24), (93, "day", 93), (365, "week", 53), (741, "month", 25)):
        first = date(2025, 1, 1)
        found = statistics(ann, Period("days", first, first + timedelta(days=days - 1), "UTC"))
        assert (found.unit, len(found.over_time)) == (unit, points)
        assert found.mean_confidence is None
        assert found.to_dict()["period"]["time_zone"] == "UTC"


def test_all_begins_with_the_first_analysis(read, ann, bob) -> None:
    read(ann, datetime(2025, 5, 31, 23, 30, tzinfo=UTC))
    read(bob, datetime(2024, 5, 5, tzinfo=UTC))
    assert period_for(ann, "all").first == date(2025, 5, 31)
    assert period_for(ann, "all", zone="Asia/Tokyo").first == date(2025, 6, 1)
    assert period_for(None, "all").first == date(2024, 5, 5)
    assert choose().days == 30
    assert choose("7d").days == 7


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"name": "year"}, "7d, 30d"),
        ({"zone": "../../etc/passwd"}, "Europe/Bucharest"),
        ({"zone": "Europe"}, "Europe/Bucharest"),
        ({"first": "yesterday"}, "from is 'yesterday'"),
        ({"first": "2026-02-30"}, "from is"),
        ({"first": "2025-02-03", "last": "2025-02-02"}, "before from"),
        ({"last": "9999-12-31"}, "between"),
        ({"first": "0001-01-01"}, "between"),
    ],
)
def test_what_cannot_be_a_period_is_said(asked: dict[str, str], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        choose(**asked)

"""Which days a dashboard is about, in which time zone, and the slots of the totals that these are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db.models import Case, Expression, F, IntegerField, Q, Value, When
from django.utils import timezone

from mien.core.errors import OptionError
from mien.web.dashboard.models import DAY, QUARTER

# days back from today, which is the last; 0: everything there is
PERIODS: Mapping[str, int] = {"7d": 7, "30d": 30, "90d": 90, "12m": 365, "all": 0}
USUAL = "30d"
EARLIEST, LATEST = date(1970, 1, 2), date(2199, 12, 31)
_SLOT_S = 900


@dataclass(frozen=True)
class Period:
    """Whole days, the first and the last included, in one time zone.

    Attributes:
        name: of `PERIODS`, or `days` where the first and the last were given.
        first: the first day.
        last: the last day.
        zone: name of the time zone, such as Europe/Bucharest.
    """

    name: str
    first: date
    last: date
    zone: str

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.last - self.first).days + 1

    @cached_property
    def start(self) -> int:
        """The first slot."""
        return self._slot(self.first)

    @cached_property
    def end(self) -> int:
        """The slot after the last."""
        return self._slot(self.last + timedelta(days=1))

    def totals(self, scope: int) -> Q:
        """Select a scope's totals of these days: days of UTC, and quarters at both ends."""
        first, last = -(-self.start // DAY) * DAY, self.end // DAY * DAY
        if first >= last:
            return _range(scope, QUARTER, self.start, self.end)
        # each range names the scope, so that SQLite looks each up in the index
        return (
            _range(scope, QUARTER, self.start, first)
            | _range(scope, DAY, first, last)
            | _range(scope, QUARTER, last, self.end)
        )

    def local_s(self) -> Expression:
        """Return the seconds since 1970 that a clock on the wall shows at a row's slot."""
        pieces = self._offsets()
        cases = [When(slot__lt=until, then=Value(offset)) for until, offset in pieces[:-1]]
        offset = Case(*cases, default=Value(pieces[-1][1]), output_field=IntegerField())
        return F("slot") * _SLOT_S + offset if cases else F("slot") * _SLOT_S + Value(pieces[-1][1])

    def _offsets(self) -> list[tuple[int, int]]:
        """Offsets from UTC in seconds, each with the slot that it ends before."""
        zone, pieces = ZoneInfo(self.zone), []
        slot, offset = self.start, _offset(zone, self.start)
        while slot < self.end:
            after = min(slot + DAY, self.end)
            if (changed := _offset(zone, after)) != offset:
                # within this day: find the quarter
                low, high = slot, after
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
                pieces.append((high, offset))
                offset = changed
            slot = after
        return [*pieces, (self.end, offset)]

    def _slot(self, day: date) -> int:
        begins = datetime.combine(day, time(), ZoneInfo(self.zone))
        return -int(-begins.timestamp() // _SLOT_S)


def choose(
    name: str = "", first: str = "", last: str = "", zone: str = "", *, oldest: datetime | None = None
) -> Period:
    """Return the period that someone asks for.

    Args:
        name: of `PERIODS`, or `days`; empty: `days` where a day is given, else the last 30 days.
        first: a day as 2026-11-21; empty: the oldest there is.
        last: a day; empty: today.
        zone: name of a time zone; empty: the server's (TIME_ZONE).
        oldest: when the first analysis was made, for `all`.

    Raises:
        OptionError: one of them is not known or not a day, or the last day is before the first.
    """
    zone = zone or settings.TIME_ZONE
    if zone not in _zones():
        raise OptionError(f"zone is {zone[:60]!r}; it is a time zone's name such as Europe/Bucharest")
    name = name or ("days" if first or last else USUAL)
    today = timezone.now().astimezone(ZoneInfo(zone)).date()
    begin = (oldest or timezone.now()).astimezone(ZoneInfo(zone)).date()
    if name == "days":
        chosen = Period(name, _day("from", first, begin), _day("to", last, today), zone)
        if chosen.last < chosen.first:
            raise OptionError(f"to is {chosen.last}, which is before from, {chosen.first}")
        return chosen
    if name not in PERIODS:
        raise OptionError(f"period is {name[:20]!r}; it is one of {', '.join([*PERIODS, 'days'])}")
    days = PERIODS[name]
    return Period(name, today - timedelta(days=days - 1) if days else min(begin, today), today, zone)


def _range(scope: int, span: int, start: int, end: int) -> Q:
    return Q(scope=scope, span=span, slot__gte=start, slot__lt=end)


def _day(field: str, text: str, default: date) -> date:
    try:
        day = date.fromisoformat(text) if text else default
    except ValueError:
        raise OptionError(f"{field} is {text[:20]!r}; it is a day such as 2026-11-21") from None
    if not EARLIEST <= day <= LATEST:
        raise OptionError(f"{field} is {day}; it lies between {EARLIEST} and {LATEST}")
    return day


def _offset(zone: ZoneInfo, slot: int) -> int:
    difference = datetime.fromtimestamp(slot * _SLOT_S, UTC).astimezone(zone).utcoffset()
    return int(difference.total_seconds()) if difference else 0


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())

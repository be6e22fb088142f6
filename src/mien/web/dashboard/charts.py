"""What each chart shows: a table, which the page has behind it and which its script draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from mien.core.colours import emotion_colour
from mien.web.analyses.models import Source
from mien.web.dashboard.statistics import ClockCount, Statistics, TimeCount
from mien.web.templatetags.mien import emotion as emotion_name
from mien.web.templatetags.mien import per_cent


@dataclass(frozen=True)
class Cell:
    """A number: as it is read, and as it is drawn (None: only read)."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Row:
    """One bar or point; `colour` (#rrggbb) where it is an emotion's."""

    label: str
    cells: tuple[Cell, ...]
    colour: str = ""


@dataclass(frozen=True)
class Chart:
    """One chart with its table. `kind`: line, bar (upright) or rows (lying bars)."""

    name: str
    kind: str
    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...] = field(default=())
    is_share: bool = False
    is_wide: bool = False


def charts(found: Statistics) -> list[Chart]:
    """Return the charts of a dashboard, in the order that they are read."""
    return [
        _use(found),
        _emotions(found),
        _confidence(found),
        _histogram(found),
        _sources(found),
        _clock("hours", _("By hour of the day"), _("Hour"), found.hours, _hour),
        _clock("weekdays", _("By weekday"), _("Weekday"), found.weekdays, _weekday),
    ]


def _use(found: Statistics) -> Chart:
    unit = {"hour": _("Hour"), "day": _("Day"), "week": _("Week from"), "month": _("Month")}[found.unit]
    return Chart(
        "use",
        "line",
        _("Use over time"),
        _("Photos that were read and faces found in them."),
        (unit, _("Photos"), _("Faces")),
        tuple(Row(_when(count, found.unit), _both(count)) for count in found.over_time),
        is_wide=True,
    )


def _emotions(found: Statistics) -> Chart:
    rows = tuple(
        Row(
            _capital(emotion_name(count.emotion)),
            (_whole(count.faces), Cell(per_cent(count.share, 1))),
            _hex(count.emotion),
        )
        for count in found.emotions
    )
    text = _("How many faces showed each expression; uncertain ones showed none clearly.")
    columns = (_("Expression"), _("Faces"), _("Share"))
    return Chart("emotions", "rows", _("Expressions"), text, columns, rows)


def _confidence(found: Statistics) -> Chart:
    rows = tuple(
        Row(
            _capital(emotion_name(count.emotion)),
            (Cell(per_cent(count.mean_confidence, 1), round(100 * count.mean_confidence, 1)),),
            _hex(count.emotion),
        )
        for count in found.emotions
    )
    text = _("How sure Mien was of the likeliest expression, on average.")
    columns = (_("Expression"), _("Mean confidence"))
    return Chart("confidence", "rows", _("Mean confidence"), text, columns, rows, is_share=True)


def _histogram(found: Statistics) -> Chart:
    rows = tuple(
        Row(f"{count.least * 100:.0f}–{count.below * 100:.0f} %", (_whole(count.faces),))
        for count in found.histogram
    )
    text = _("How many faces were read with which confidence.")
    columns = (_("Confidence"), _("Faces"))
    return Chart("histogram", "bar", _("How confidence is spread"), text, columns, rows)


def _sources(found: Statistics) -> Chart:
    names = dict(Source.choices)
    rows = tuple(Row(str(names.get(count.source, count.source)), _both(count)) for count in found.sources)
    text = _("Where photos came from.")
    return Chart("sources", "rows", _("By source"), text, (_("Source"), _("Photos"), _("Faces")), rows)


def _clock(name: str, title: str, unit: str, counts: Sequence[ClockCount], label: object) -> Chart:
    rows = tuple(Row(label(count.number), _both(count)) for count in counts)  # type: ignore[operator]
    text = _("When photos were read, all days together.")
    return Chart(name, "bar", title, text, (unit, _("Photos"), _("Faces")), rows)


def _both(count: object) -> tuple[Cell, Cell]:
    return _whole(count.analyses), _whole(count.faces)  # type: ignore[attr-defined]


def _whole(number: int) -> Cell:
    return Cell(number_format(number, use_l10n=True, force_grouping=True), number)


def _when(count: TimeCount, unit: str) -> str:
    if unit == "hour":
        return f"{datetime.fromisoformat(count.start):%H:%M}"
    return date_format(date.fromisoformat(count.start), "F Y" if unit == "month" else "j M Y")


def _hour(number: int) -> str:
    return f"{number:02}:00"


def _weekday(number: int) -> str:
    name: str | Promise = WEEKDAYS_ABBR[number - 1]
    return _capital(str(name))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _hex(label: str | None) -> str:
    return "#{:02x}{:02x}{:02x}".format(*emotion_colour(label))

"""The entries of the menu: one line each, shown to whom their route's rule lets in."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mien.web.rules import Rule, allows


class Entry(NamedTuple):
    """One entry: the route, its text, its icon (of static/vendor/icons.svg) and who sees it."""

    route: str
    text: str | Promise
    icon: str
    rule: Rule


ENTRIES: tuple[Entry, ...] = (
    Entry("analyses:photos", _("Photos"), "images", Rule.USER),
    Entry("analyses:history", _("History"), "clock-history", Rule.USER),
    Entry("dashboard:personal", _("Numbers"), "bar-chart-line", Rule.USER),
    Entry("admin:index", _("Database"), "database", Rule.VIEWER),
)


def entries_for(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the entries that this visitor may use; the present one is marked."""
    user = getattr(request, "user", None)
    if user is None:
        return []
    found = [(entry, reverse(entry.route)) for entry in ENTRIES if allows(entry.rule, user)]
    return [
        {"text": entry.text, "icon": entry.icon, "address": address, "here": request.path.startswith(address)}
        for entry, address in found
    ]

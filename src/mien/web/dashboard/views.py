"""The pages of numbers: one's own, and those of everyone."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from mien.web.analyses.models import Analysis
from mien.web.dashboard.charts import charts
from mien.web.dashboard.forms import NAMES, PeriodForm
from mien.web.dashboard.statistics import EmotionCount, Statistics, statistics


@require_safe
def personal(request: HttpRequest) -> HttpResponse:
    """The numbers of whoever looks."""
    return _page(request, request.user)


@require_safe
def overall(request: HttpRequest) -> HttpResponse:
    """The numbers of everyone; no one's name is in them."""
    return _page(request, None)


def _page(request: HttpRequest, owner: Any) -> HttpResponse:
    form = PeriodForm(owner, request.GET)
    is_valid = form.is_valid()
    found = statistics(owner, form.chosen)
    analyses = Analysis.objects.all() if owner is None else Analysis.objects.of(owner)
    context = {
        "form": form,
        "is_overall": owner is None,
        "periods": [_choice(name, form) for name in NAMES],
        "found": found,
        "charts": charts(found) if found.analyses else [],
        "has_any": bool(found.analyses) or analyses.exists(),
        "most": _most_frequent(found),
    }
    return render(request, "dashboard/page.html", context, status=200 if is_valid else 422)


def _choice(name: str, form: PeriodForm) -> dict[str, Any]:
    address = "?" + urlencode({"period": name, "zone": form.chosen.zone})
    return {"text": NAMES[name], "address": address, "here": form.chosen.name == name}


def _most_frequent(found: Statistics) -> EmotionCount | None:
    certain = [count for count in found.emotions if count.emotion]
    return max(certain, key=lambda count: count.faces, default=None)

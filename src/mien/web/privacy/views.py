"""Pages about what is done with pictures of people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from mien.web.preferences import local_address
from mien.web.privacy.consent import give, has_consented
from mien.web.privacy.models import NOTICE_VERSION


@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """The notice of use and limits, for everyone."""
    return render(request, "privacy/notice.html", {"version": NOTICE_VERSION})


@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """Ask for consent, and record it."""
    following = request.POST.get("next") or request.GET.get("next")
    if request.method == "POST" and request.POST.get("agree") == "yes":
        give(request.user)
        return HttpResponseRedirect(local_address(request, following))
    context = {"version": NOTICE_VERSION, "next": following, "agreed": has_consented(request.user)}
    return render(request, "privacy/consent.html", context)

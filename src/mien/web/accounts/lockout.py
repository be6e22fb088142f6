"""Who guesses passwords is locked out: by account and address, so that the owner gets in from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from mien.web.accounts.models import User
from mien.web.error_pages import error_page


def name_of(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Return the one name under which failures for an account are counted, however it was called.

    An account has a name and an address: guesses at either are guesses at the same password. A name that
    nobody has is counted just so: the answers do not tell who exists.
    """
    given = credentials or {}
    called = str(given.get("username") or given.get("email") or request.POST.get("login") or "").lower()
    if "@" in called:
        owner = User.objects.filter(email__iexact=called).values_list("username", flat=True).first()
        called = owner or called
    return called[:255].replace("\0", "")


def locked(
    request: HttpRequest, _response: HttpResponse | None, _credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """Return the page for whoever has failed too often."""
    seconds = settings.MIEN.lock_minutes * 60
    detail = _("Too many wrong passwords from here. Try it again in %(minutes)d minutes.") % {
        "minutes": settings.MIEN.lock_minutes
    }
    return error_page(request, 429, detail, {"Retry-After": str(seconds)})

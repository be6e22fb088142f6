"""What visitors see when something is refused or fails: one page, one table of texts."""

from __future__ import annotations

import errno
import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mien.web.rules import wants_json

# status: title, what it means and what to do
TEXTS: dict[int, tuple[str | Promise, str | Promise]] = {
    400: (_("This request cannot be read"), _("Go back and try it again.")),
    403: (_("You may not open this page"), _("Ask an administrator for access, or log in as someone else.")),
    404: (_("There is nothing here"), _("The address may be mistyped, or what was here was deleted.")),
    413: (_("This is too large"), _("Send a smaller file, or fewer at once.")),
    429: (_("Too many requests"), _("Wait a minute, then try it again.")),
    500: (_("Something went wrong on our side"), _("It was noted in the server's log. Try it again later.")),
    503: (_("Mien is busy"), _("Try it again in a moment.")),
    507: (_("The disk is full"), _("Nothing was lost. Tell the administrator.")),
}

# What SQLite and PostgreSQL say when they have no room, or no time.
_FULL = ("disk is full", "no space left", "could not extend file", "disk full")
_BUSY = ("is locked", "connection", "too many clients", "starting up", "shutting down", "timeout")
_RETRY_S = "5"


def error_page(
    request: HttpRequest, status: int, detail: Any = None, headers: dict[str, str] | None = None
) -> HttpResponse:
    """Return the page of `status`, or problem+json (RFC 9457) where a program asked.

    Args:
        request: of the visitor.
        status: one of TEXTS.
        detail: what to do, in place of the table's own words.
        headers: such as Retry-After.
    """
    title, advice = TEXTS[status]
    detail = detail or advice
    if wants_json(request):
        problem = {"type": "about:blank", "title": str(title), "status": status, "detail": str(detail)}
        return JsonResponse(problem, status=status, headers=headers, content_type="application/problem+json")
    context = {"status": status, "title": title, "detail": detail}
    response = render(request, "error.html", context, status=status)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 where a form has more files, fields or bytes than any of ours."""
    too_much = isinstance(exception, TooManyFilesSent | TooManyFieldsSent | RequestDataTooBig)
    return error_page(request, 413 if too_much else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 and 507 where the database or the disk has no room; drawn without the database."""
    status = trouble(sys.exc_info()[1])
    headers = {"Retry-After": _RETRY_S} if status == 503 else None
    if wants_json(request):
        return error_page(request, status, headers=headers)
    title, detail = TEXTS[status]
    context = {"status": status, "title": title, "detail": detail}
    response = render(request, "error_bare.html", context, status=status)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def trouble(error: BaseException | None) -> int:
    """Return the status of what went wrong inside: 503 busy, 507 full, 500 anything else."""
    while error is not None:
        text = str(error).lower()
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return 507
        if isinstance(error, DatabaseError) and any(word in text for word in _FULL):
            return 507
        if isinstance(error, OperationalError | InterfaceError) and any(word in text for word in _BUSY):
            return 503
        error = error.__cause__ or error.__context__
    return 500


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that this server did not give out, or that has been open for too long."""
    return error_page(request, 403, _("This form is too old. Go back, load the page anew and send it again."))

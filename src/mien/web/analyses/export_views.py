"""Results as files: of one analysis, of a batch, of what a filter finds, of what was ticked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mien.core.emotions import LANGUAGES
from mien.web.analyses import exports
from mien.web.analyses.filters import HistoryFilter, chosen
from mien.web.analyses.models import Analysis, Batch, OwnedQuerySet
from mien.web.analyses.owned import owned
from mien.web.error_pages import error_page

_PIECE = 256 * 1024


@require_http_methods(["GET", "HEAD", "POST"])
def history(request: HttpRequest) -> HttpResponseBase:
    """What a filter finds (GET) or what was ticked (POST)."""
    if request.method == "POST":
        return _exported(request, chosen(request.POST, request.user), request.POST.get("as", ""))
    found = HistoryFilter(request.GET, request.user).found()
    return _exported(request, found, request.GET.get("as", ""))


@owned(Batch)
def batch(request: HttpRequest, batch: Batch) -> HttpResponseBase:
    """A batch with its failures, in the order of its photos."""
    return _exported(request, batch.analyses.order_by("created", "id"), request.GET.get("as", ""), batch)


@owned(Analysis)
def analysis(request: HttpRequest, analysis: Analysis) -> HttpResponseBase:
    """One analysis."""
    return _exported(request, Analysis.objects.filter(pk=analysis.pk), request.GET.get("as", ""))


def _exported(
    request: HttpRequest, analyses: OwnedQuerySet, form: str, batch: Batch | None = None
) -> HttpResponseBase:
    if form not in exports.TYPES:
        return error_page(request, 400, _("Choose CSV, JSON, Excel or ZIP."))
    language = (get_language() or "en").partition("-")[0]
    try:
        file = exports.export(
            analyses, form, batch=batch, language=language if language in LANGUAGES else "en"
        )
    except exports.TooManyPicturesError:
        most = settings.MIEN.batch_photos
        text = ngettext(
            "A ZIP holds at most %(most)s picture. Choose fewer.",
            "A ZIP holds at most %(most)s pictures. Choose fewer.",
            most,
        )
        return error_page(request, 413, text % {"most": most})
    return download(request, file, f"mien.{form}", exports.TYPES[form])


def download(request: HttpRequest, file: IO[bytes], name: str, kind: str) -> HttpResponseBase:
    """Return the file piece by piece, closed at the end or when the visitor goes away."""
    if not isinstance(request, ASGIRequest):
        return FileResponse(file, as_attachment=True, filename=name, content_type=kind)
    size = file.seek(0, 2)
    file.seek(0)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingHttpResponse(_pieces(file), content_type=kind, headers=headers)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece

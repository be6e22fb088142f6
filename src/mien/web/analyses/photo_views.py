"""Photos in: the page to send them from, one photo or many, with and without JavaScript."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from mien.web.analyses import pictures, reading
from mien.web.analyses.filters import batch_of
from mien.web.analyses.models import Batch
from mien.web.analyses.reading import PhotoRefusedError


@require_http_methods(["GET", "HEAD", "POST"])
def photos(request: HttpRequest) -> HttpResponse:
    """The page to send photos from; without JavaScript its form comes here, all photos at once."""
    if request.method != "POST":
        return _page(request)
    sent = [file for name in ("photos", "taken") for file in request.FILES.getlist(name)]
    if not sent:
        return _page(request, 400, _("Choose a photo first."))
    if len(sent) > settings.MIEN.batch_photos:
        return _page(request, 413, too_many())
    if len(sent) > 1:
        return HttpResponseRedirect(_address_of(_read_all(request, sent)))
    try:
        analysis = reading.read(request.user, sent[0], keep_picture=_keeping(request))
    except PhotoRefusedError as error:
        return _page(request, error.refusal.status, str(error.refusal.why))
    return HttpResponseRedirect(reverse("analyses:analysis", args=[analysis.uid]))


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Read one photo, of a batch perhaps, and answer with its result as a part of a page."""
    sent = request.FILES.get("photo")
    batch = None
    if request.POST.get("batch"):
        batch = batch_of(request.user, request.POST["batch"])
    if sent is None:
        return _refused(request, "", 400, _("Choose a photo first."))
    if batch is not None and batch.is_finished:
        return _refused(request, sent.name, 400, _("This batch has all its photos."))
    try:
        analysis = reading.read(request.user, sent, keep_picture=_keeping(request), batch=batch)
    except PhotoRefusedError as error:
        if batch is not None:
            reading.note_failure(batch, sent.name, error.refusal)
        return _refused(request, sent.name, error.refusal.status, str(error.refusal.why))
    part = "short" if batch else "result"
    context = {"analysis": analysis, "faces": analysis.faces.all(), "fresh": True}
    return render(request, f"analyses/parts/{part}.html", context)


@require_POST
def start_batch(request: HttpRequest) -> HttpResponse:
    """Open a batch of as many photos as `total` says; they follow one by one."""
    try:
        total = int(request.POST.get("total", ""))
    except ValueError:
        total = 0
    if not 1 <= total <= settings.MIEN.batch_photos:
        return JsonResponse({"detail": too_many()}, status=400)
    batch = Batch.objects.create(owner=request.user, total=total)
    return JsonResponse({"uid": str(batch.uid), "address": _address_of(batch)}, status=201)


def too_many() -> str:
    """Return what is said to whoever sends more photos than a batch may have."""
    most = settings.MIEN.batch_photos
    return ngettext("Send at most %(most)s photo at once.", "Send at most %(most)s photos at once.", most) % {
        "most": most
    }


def _read_all(request: HttpRequest, sent: list[Any]) -> Batch:
    batch = Batch.objects.create(owner=request.user, total=len(sent))
    for file in sent:
        try:
            reading.read(request.user, file, keep_picture=_keeping(request), batch=batch)
        except PhotoRefusedError as error:
            reading.note_failure(batch, file.name, error.refusal)
    return batch


def _keeping(request: HttpRequest) -> bool:
    return request.POST.get("keep") == "yes"


def _address_of(batch: Batch) -> str:
    return reverse("analyses:batch", args=[batch.uid])


def _page(request: HttpRequest, status: int = 200, wrong: str = "") -> HttpResponse:
    context = {
        "wrong": wrong,
        "may_keep": pictures.may_keep(),
        "mien": settings.MIEN,
        "too_many": too_many(),
    }
    return render(request, "analyses/photos.html", context, status=status)


def _refused(request: HttpRequest, name: str | None, status: int, why: str) -> HttpResponse:
    return render(request, "analyses/parts/refused.html", {"name": name, "why": why}, status=status)

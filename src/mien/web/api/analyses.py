"""`/api/v1/analyses` and `/api/v1/batches`: photos in, results out, kept in the caller's history."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, Router, Schema, Status, UploadedFile

from mien.web.accounts.models import Scope
from mien.web.analyses import reading
from mien.web.analyses.models import AnalysedFace, Analysis, Batch, Source
from mien.web.api.callers import account, need_consent
from mien.web.api.documents import refusals
from mien.web.api.paging import Cursor, Limit, page
from mien.web.api.problems import ProblemError
from mien.web.api.repeats import Key, content_of, once
from mien.web.api.schemas import (
    SOURCES,
    AnalysisOut,
    AnalysisPage,
    BatchOut,
    BatchPage,
    Moment,
    analysis_out,
    batch_out,
)

router = Router(tags=["analyses"])
_READ, _SEND, _DELETE = (account(scope) for scope in (Scope.READ, Scope.ANALYSE, Scope.DELETE))
KeepPicture = Annotated[
    bool | None,
    Form(description="Keep the picture too, without its metadata; the account's own choice where not given."),
]


class Wanted(Schema):
    """Which analyses; every field narrows them down."""

    since: Moment | None = None
    until: Moment | None = None
    source: SOURCES | None = None
    batch: UUID | None = None
    emotion: Annotated[str | None, Query(max_length=60, pattern=r"^[^\x00]*$")] = None


def wanted_of(user: Any, wanted: Wanted) -> Any:
    """Return the analyses of `user` that fit."""
    rows = Analysis.objects.of(user)
    if wanted.since is not None:
        rows = rows.filter(created__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(created__lt=wanted.until)
    if wanted.source is not None:
        rows = rows.filter(source=wanted.source)
    if wanted.batch is not None:
        rows = rows.filter(batch__uid=wanted.batch)
    if wanted.emotion is not None:
        seen = AnalysedFace.objects.filter(analysis=OuterRef("pk"), emotion=wanted.emotion)
        rows = rows.filter(Exists(seen))
    return rows


@router.post(
    "/analyses",
    response={201: AnalysisOut},
    auth=_SEND,
    operation_id="analyse",
    summary="Analyse a photo",
    openapi_extra=refusals(409, 410, 413),
)
def analyse(
    request: HttpRequest,
    response: HttpResponse,
    image: File[UploadedFile],
    keep_picture: KeepPicture = None,
    key: Key = None,
) -> Any:
    """Read every face of a photo and keep the result in the history."""
    need_consent(request.user)
    keeping = _keeping(request.user, keep_picture)
    with once(request.user, key, content_of(request.path, {"keep": str(keeping)}, [image])) as claim:
        repeated = claim.made is not None
        if not repeated:
            source = str(Source.API)
            reading.read(
                request.user,
                image,
                keep_picture=keeping,
                source=source,
                also=lambda made: claim.keep(made.uid),
            )
    analysis = _rows().filter(owner=request.user, uid=claim.made).first()
    return _made(response, request, analysis, analysis_out, repeated)


@router.get(
    "/analyses",
    response=AnalysisPage,
    auth=_READ,
    operation_id="analyses",
    summary="Analyses, newest first",
    openapi_extra=refusals(),
)
def analyses(request: HttpRequest, wanted: Query[Wanted], limit: Limit = 20, cursor: Cursor = "") -> Any:
    """Return a page of the history."""
    return page(_rows(wanted_of(request.user, wanted)), analysis_out, limit, cursor)


@router.get(
    "/analyses/{uuid:analysis_id}",
    response=AnalysisOut,
    auth=_READ,
    operation_id="analysis",
    summary="One analysis",
    openapi_extra=refusals(404),
)
def analysis(request: HttpRequest, analysis_id: UUID) -> Any:
    """Return one analysis."""
    return analysis_out(get_object_or_404(_rows(Analysis.objects.of(request.user)), uid=analysis_id))


@router.delete(
    "/analyses/{uuid:analysis_id}",
    response={204: None},
    auth=_DELETE,
    operation_id="delete_analysis",
    summary="Delete an analysis",
    openapi_extra=refusals(404),
)
def delete_analysis(request: HttpRequest, analysis_id: UUID) -> Any:
    """Delete an analysis, its faces and its picture for good."""
    get_object_or_404(Analysis.objects.of(request.user), uid=analysis_id).delete()
    return Status(204, None)


@router.post(
    "/batches",
    response={201: BatchOut},
    auth=_SEND,
    operation_id="analyse_batch",
    summary="Analyse several photos",
    openapi_extra=refusals(409, 410, 413),
)
def analyse_batch(
    request: HttpRequest,
    response: HttpResponse,
    images: File[list[UploadedFile]],
    title: Annotated[str, Form(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = "",
    keep_picture: KeepPicture = None,
    key: Key = None,
) -> Any:
    """Read every photo; one that cannot be read is among `failures` and stops no other.

    The analyses are found by `GET /api/v1/analyses?batch=…`.
    """
    need_consent(request.user)
    if len(images) > (most := settings.MIEN.batch_photos):
        raise ProblemError(413, f"{len(images)} photos were sent; a batch has {most} at most.")
    keeping = _keeping(request.user, keep_picture)
    fields = {"title": title, "keep": str(keeping)}
    with once(request.user, key, content_of(request.path, fields, images)) as claim:
        repeated = claim.made is not None
        if not repeated:
            claim.keep(_read_all(request.user, title, images, keeping).uid)
    batch = Batch.objects.of(request.user).filter(uid=claim.made).first()
    return _made(response, request, batch, batch_out, repeated)


@router.get(
    "/batches",
    response=BatchPage,
    auth=_READ,
    operation_id="batches",
    summary="Batches, newest first",
    openapi_extra=refusals(),
)
def batches(request: HttpRequest, limit: Limit = 20, cursor: Cursor = "") -> Any:
    """Return a page of the batches."""
    return page(Batch.objects.of(request.user), batch_out, limit, cursor)


@router.get(
    "/batches/{uuid:batch_id}",
    response=BatchOut,
    auth=_READ,
    operation_id="batch",
    summary="One batch",
    openapi_extra=refusals(404),
)
def batch(request: HttpRequest, batch_id: UUID) -> Any:
    """Return one batch, with what could not be read."""
    return batch_out(get_object_or_404(Batch.objects.of(request.user), uid=batch_id))


@router.delete(
    "/batches/{uuid:batch_id}",
    response={204: None},
    auth=_DELETE,
    operation_id="delete_batch",
    summary="Delete a batch",
    openapi_extra=refusals(404),
)
def delete_batch(request: HttpRequest, batch_id: UUID) -> Any:
    """Delete a batch and all its analyses for good."""
    _delete(get_object_or_404(Batch.objects.of(request.user), uid=batch_id))
    return Status(204, None)


def _rows(rows: Any = None) -> Any:
    """Add what `analysis_out` reads, in as many queries for a hundred as for one."""
    rows = Analysis.objects.all() if rows is None else rows
    return rows.select_related("batch", "picture").prefetch_related("faces", "tags")


def _keeping(user: Any, asked: bool | None) -> bool:
    return bool(user.keep_pictures if asked is None else asked)


def _read_all(user: Any, title: str, images: list[UploadedFile], keeping: bool) -> Batch:
    """Read the photos of a batch; where the server itself fails, nothing is left of it."""
    batch = Batch.objects.create(owner=user, title=title, total=len(images))
    try:
        for image in images:
            try:
                reading.read(user, image, keep_picture=keeping, source=str(Source.API), batch=batch)
            except reading.PhotoRefusedError as error:
                reading.note_failure(batch, image.name, error.refusal)
    except BaseException:
        _delete(batch)
        raise
    return batch


def _delete(batch: Batch) -> None:
    with transaction.atomic():
        batch.analyses.all().delete()
        batch.delete()


def _made(response: HttpResponse, request: HttpRequest, row: Any, shape: Any, repeated: bool) -> Any:
    if row is None:
        raise ProblemError(410, "What this idempotency key made was deleted since; take a new key.")
    if repeated:
        response["Idempotency-Replayed"] = "true"
    response["Location"] = f"{request.path}/{row.uid}"
    return Status(201, shape(row))

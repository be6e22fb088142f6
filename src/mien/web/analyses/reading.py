"""From what a visitor sent to an analysis of theirs: pages and the REST service read photos through here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from numpy.typing import NDArray

from mien.core import images
from mien.core.errors import ImageError, ImageLimitError
from mien.core.results import ImageAnalysis
from mien.web import engine
from mien.web.analyses import pictures, store
from mien.web.analyses.models import Analysis, Batch, Source

# JPEG holds no longer side; kept pictures are JPEG.
_LONGEST = 65_500
MB = 1_000_000


class Refusal(NamedTuple):
    """Why a photo was not read."""

    status: int
    why: str | Promise


class PhotoRefusedError(Exception):
    """A photo cannot be read; `refusal` says why, in the language of the reader."""

    def __init__(self, status: int, why: str | Promise) -> None:
        super().__init__(str(why))
        self.refusal = Refusal(status, why)


_DAMAGED = gettext_lazy("This is not a picture, or it is damaged. Send a JPEG, PNG, WebP, BMP or TIFF file.")
_HUGE = gettext_lazy("This picture has too many pixels.")
_EMPTY = gettext_lazy("This file is empty.")
_LONG = gettext_lazy("This picture is too long to be kept. Send it without keeping it.")


def read(
    owner: Any,
    upload: UploadedFile,
    *,
    keep_picture: bool = False,
    source: str = str(Source.UPLOAD),
    batch: Batch | None = None,
    also: Callable[[Analysis], None] | None = None,
) -> Analysis:
    """Analyse one photo and keep the result, with the picture where its owner wants that; all or nothing.

    Args:
        owner: whose it is.
        upload: what was sent.
        keep_picture: encode the picture anew and keep it; nothing where the server keeps none.
        source: one of `Source`.
        batch: that it is a part of; its count goes up in the same transaction.
        also: what else is written in that transaction, or not at all.

    Raises:
        PhotoRefusedError: it is empty, too large, or no picture; nothing is kept of it.
    """
    data, name = _data(upload), upload.name or ""
    if not (keep_picture and pictures.may_keep()):
        return _kept(owner, _analysed(data), name, source, batch, also)
    pixels = _pixels(data)
    result = _analysed(pixels)
    with pictures.kept_with(pixels) as keep, transaction.atomic():
        analysis = _kept(owner, result, name, source, batch, also)
        keep(analysis)
    return analysis


def look(upload: UploadedFile) -> ImageAnalysis:
    """Analyse one photo and keep nothing of it.

    Raises:
        PhotoRefusedError: it is empty, too large, or no picture.
    """
    return _analysed(_data(upload))


def note_failure(batch: Batch, name: str | None, refusal: Refusal) -> None:
    """Write into the batch that one of its photos was not read."""
    with transaction.atomic():
        fresh = Batch.objects.select_for_update().get(pk=batch.pk)
        fresh.failed += 1
        fresh.failures = [*fresh.failures, {"name": store.shown_name(name or ""), "why": str(refusal.why)}]
        fresh.save(update_fields=["failed", "failures"])


def _data(upload: UploadedFile) -> bytes:
    """Return what was sent; its temporary file is gone before anyone is answered."""
    size, most = upload.size or 0, settings.MIEN.photo_mb
    with closing(upload):
        if size == 0:
            raise PhotoRefusedError(422, _EMPTY)
        if size > most * MB:
            why = _("This file is larger than the %(most)s MB that a photo may have.")
            raise PhotoRefusedError(413, why % {"most": most})
        return bytes(upload.read())


def _pixels(data: bytes) -> NDArray[np.uint8]:
    with _refusing():
        pixels = images.load(data)
    if max(pixels.shape[:2]) > _LONGEST:
        raise PhotoRefusedError(413, _LONG)
    return pixels


def _analysed(photo: bytes | NDArray[np.uint8]) -> ImageAnalysis:
    with _refusing():
        return engine.analyze(photo)


@contextmanager
def _refusing() -> Iterator[None]:
    """Say in the reader's language why a picture cannot be read."""
    try:
        yield
    except ImageLimitError:
        raise PhotoRefusedError(413, _HUGE) from None
    except ImageError:
        raise PhotoRefusedError(422, _DAMAGED) from None


def _kept(
    owner: Any,
    result: ImageAnalysis,
    name: str,
    source: str,
    batch: Batch | None,
    also: Callable[[Analysis], None] | None,
) -> Analysis:
    with transaction.atomic():
        analysis = store.keep(owner, result, name=name, source=source, batch=batch)
        if batch is not None:
            Batch.objects.filter(pk=batch.pk).update(done=F("done") + 1)
        if also is not None:
            also(analysis)
    return analysis

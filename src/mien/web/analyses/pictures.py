"""Pictures that their owners chose to keep: encoded anew, whole or not at all, gone with their rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from numpy.typing import NDArray

from mien.core import images
from mien.core.files import atomic_write, ensure_folder
from mien.web.analyses.models import Analysis, Picture, picture_name

QUALITY = 90
SMALL = 320
TYPE = "image/jpeg"


def may_keep() -> bool:
    """Whether this server keeps pictures for those who ask it to."""
    return bool(settings.MIEN.keep_pictures)


@contextmanager
def kept_with(pixels: NDArray[np.uint8]) -> Iterator[Any]:
    """Give a function that keeps the picture for an analysis; after any exception its file is gone.

    Args:
        pixels: RGB uint8, upright. Nothing but them reaches the file: no place, time or device.
    """
    written: list[Path] = []
    encoded = images.encode_jpeg(pixels, QUALITY)

    def keep(analysis: Analysis) -> Picture:
        height, width = pixels.shape[:2]
        picture = Picture(analysis=analysis, width=width, height=height, size=len(encoded))
        picture.file.name = picture_name(picture, "")
        written.append(_path(picture))
        _write(written[0], encoded)
        Picture.objects.bulk_create([picture])  # save() would read the file again, for its size
        return picture

    try:
        yield keep
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def content(picture: Picture) -> bytes:
    """Return the bytes of a kept picture.

    Raises:
        FileNotFoundError: the row is there, its file is not.
    """
    return _path(picture).read_bytes()


def small(picture: Picture) -> bytes:
    """Return the picture as a JPEG of at most SMALL pixels a side, for lists."""
    from PIL import Image

    with Image.open(_path(picture)) as image:
        image.draft("RGB", (SMALL, SMALL))  # decodes an eighth of it where that is enough
        image.thumbnail((SMALL, SMALL))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def pixels_of(picture: Picture) -> NDArray[np.uint8]:
    """Return the picture as RGB uint8 (height, width, 3)."""
    return images.load(content(picture))


def _path(picture: Picture) -> Path:
    return Path(settings.MEDIA_ROOT) / picture.file.name


def _write(path: Path, data: bytes) -> None:
    ensure_folder(path.parent)
    path.parent.chmod(settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS)
    atomic_write(path, data)
    path.chmod(settings.FILE_UPLOAD_PERMISSIONS)


@receiver(post_delete, sender=Picture)
def _remove_file(instance: Picture, using: str, **_values: Any) -> None:
    """Remove the file once its row is gone for good: a deletion that is undone loses nothing."""
    path = _path(instance)

    def remove() -> None:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()  # fails where others are in it

    transaction.on_commit(remove, using=using)

"""Idempotency keys: a request that is sent again, because its answer was lost, makes nothing twice."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from ninja import Header

from mien.web.api.models import Repeatable
from mien.web.api.problems import ProblemError

KEPT = datetime.timedelta(hours=24)
# whoever worked on a request for so long is dead
_ABANDONED = datetime.timedelta(minutes=10)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of yours, such as a UUID; sent again within a day, nothing is made twice.",
    ),
]


@dataclass
class Claim:
    """The right to carry a request out, or, where `made` is set, what it made before."""

    made: uuid.UUID | None = None
    row: int | None = None

    def keep(self, made: uuid.UUID) -> None:
        """Remember what was made; call it in the transaction that makes it."""
        self.made = made
        if self.row is not None:
            Repeatable.objects.filter(pk=self.row).update(made=made)


@contextmanager
def once(user: Any, key: str | None, content: Iterable[bytes]) -> Iterator[Claim]:
    """Claim a request; it is given up again where the block raises.

    Args:
        user: who sent it; everyone has keys of their own.
        key: the sender's name for it; None: it is carried out however often it comes.
        content: all that makes it this request: address, fields, files.

    Raises:
        ProblemError: 409, the key is of other content, or another server process is working on it.
    """
    if key is None:
        yield Claim()
        return
    digest = _digest(content)
    claim = _begin(user, key, digest) or _found(user, key, digest)
    try:
        yield claim
    except BaseException:
        Repeatable.objects.filter(pk=claim.row, made=None).delete()
        raise


def content_of(path: str, fields: dict[str, str], files: Iterable[UploadedFile]) -> Iterator[bytes]:
    """Yield what two requests have in common only where they are the same; boundaries of forms differ."""
    yield path.encode()
    for name, value in sorted(fields.items()):
        yield f"{name}={value}".encode("utf-8", "surrogatepass")
    for file in files:
        inner = hashlib.sha256()
        for chunk in file.chunks():
            inner.update(chunk)
        file.seek(0)
        yield inner.digest() + (file.name or "").encode("utf-8", "surrogatepass")


def _digest(content: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in content:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def _begin(user: Any, key: str, digest: str) -> Claim | None:
    """Write the key down; None where it is known."""
    now = timezone.now()
    Repeatable.objects.filter(started__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return Claim(row=Repeatable.objects.create(owner=user, key=key, content=digest).pk)
    except IntegrityError:
        return None


def _found(user: Any, key: str, digest: str) -> Claim:
    row = Repeatable.objects.filter(owner=user, key=key).first()
    if row is None:
        raise _in_work()  # it was given up this moment
    if row.content != digest:
        raise ProblemError(409, "This idempotency key was used for other content; take a new one.")
    if row.made is not None:
        return Claim(made=row.made)
    now = timezone.now()
    mine = Repeatable.objects.filter(pk=row.pk, made=None, started__lt=now - _ABANDONED)
    if not mine.update(started=now):
        raise _in_work()
    return Claim(row=row.pk)


def _in_work() -> ProblemError:
    detail = "The request with this idempotency key is still being worked on. Try it again in a second."
    return ProblemError(409, detail, headers={"Retry-After": "1"})

"""Everything that is kept about one user, found by following the database's own references."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from axes.models import AccessAttempt
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Model, QuerySet

from mien.web.accounts.models import User
from mien.web.analyses.models import Analysis, Picture
from mien.web.streaming import IN_MEMORY

# What lets its holder in, or what of others' a row may tell, is not given out.
HIDDEN: dict[str, tuple[str, ...]] = {
    "accounts.user": ("password",),
    "accounts.token": ("digest",),
    "mfa.authenticator": ("data",),
    "usersessions.usersession": ("session_key", "data"),
    "auditlog.logentry": ("changes", "changes_text", "serialized_data", "additional_data"),
}
_CHUNK = 500


def queries(user: User) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Yield (kind, rows) of every model that refers to a user, also of rooms yet to be built."""
    yield "accounts.user", User.objects.filter(pk=user.pk)
    for relation in User._meta.get_fields(include_hidden=True):
        if (
            relation.auto_created
            and not relation.concrete
            and relation.field.many_to_one | relation.one_to_one
        ):
            model = relation.related_model
            yield model._meta.label_lower, model._base_manager.filter(**{relation.field.name: user})
    yield Picture._meta.label_lower, Picture.objects.filter(analysis__owner=user)
    yield AccessAttempt._meta.label_lower, AccessAttempt.objects.filter(username=user.username)


def pack(user: User) -> IO[bytes]:
    """Return a ZIP, open and without a name on the disk: data.json with all rows, and the kept pictures."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - whoever gives it out closes it
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            with packed.open("data.json", "w", force_zip64=True) as out:
                for piece in _json(user):
                    out.write(piece.encode("utf-8"))
            for picture in Picture.objects.filter(analysis__owner=user).iterator(_CHUNK):
                _add_picture(packed, picture)
    except BaseException:
        file.close()
        raise
    return file


def rows(kind: str, found: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one kind as plain values, without what is hidden."""
    hidden = HIDDEN.get(kind, ())
    names = [field.attname for field in found.model._meta.concrete_fields if field.name not in hidden]
    tags = found.model is Analysis
    for row in found.order_by("pk").iterator(_CHUNK):
        plain = {name: _plain(row, name) for name in names}
        yield plain | {"tags": [tag.name for tag in row.tags.all()]} if tags else plain


def _plain(row: Model, name: str) -> Any:
    value = getattr(row, name)
    return str(value) if isinstance(value, models.fields.files.FieldFile) else value


def _json(user: User) -> Iterator[str]:
    """The rows as one JSON object of lists, a row at a time: a long history fits in little memory."""
    encoder = DjangoJSONEncoder(ensure_ascii=False)
    opening = "{"
    for kind, found in queries(user):
        yield f"{opening}\n {json.dumps(kind)}: ["
        opening, comma = ",", "\n  "
        for row in rows(kind, found):
            yield comma + encoder.encode(row)
            comma = ",\n  "
        yield "]"
    yield "\n}\n"


def _add_picture(packed: zipfile.ZipFile, picture: Picture) -> None:
    try:
        with default_storage.open(picture.file.name) as file:
            packed.writestr(f"pictures/{picture.file.name}", file.read(), zipfile.ZIP_STORED)
    except FileNotFoundError:
        return  # deleted in the meantime; its row is in the data

"""Pages of lists by cursor: what is added or deleted meanwhile shifts nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from django.db.models import Q
from ninja import Query

from mien.web.api.problems import ProblemError

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=200, description="`next` of the page before.")]


def page(rows: Any, shape: Callable[[Any], dict[str, Any]], limit: int, cursor: str) -> dict[str, Any]:
    """Return the rows after `cursor`, newest first, and the cursor of those after them.

    Args:
        rows: a query set with `created` and `id`.
        shape: makes an item of a row.
        limit: rows at most.
        cursor: of the page before; empty: from the start.

    Raises:
        ProblemError: 422, the cursor is none of ours.
    """
    if cursor:
        created, number = _read(cursor)
        rows = rows.filter(Q(created__lt=created) | Q(created=created, id__lt=number))
    found = list(rows.order_by("-created", "-id")[: limit + 1])
    following = _written(found[limit - 1]) if len(found) > limit else None
    return {"items": [shape(row) for row in found[:limit]], "next": following}


def _written(row: Any) -> str:
    moment = row.created.astimezone(UTC)
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {row.pk}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, int]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
        moment, number = text.split(" ")
        created, row = datetime.fromisoformat(moment), int(number)
        if created.tzinfo is None or not 0 < row < 2**63:
            raise ValueError
        created.timestamp()
        return created, row
    except (ValueError, OverflowError, binascii.Error):
        raise ProblemError(422, "cursor: take it from `next` of the page before, as it is") from None

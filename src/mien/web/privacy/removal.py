"""Deletion: of an account with all that belongs to it, and of what is older than the server keeps."""

from __future__ import annotations

import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from auditlog.context import disable_auditlog
from auditlog.models import LogEntry
from axes.models import AccessAttempt
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from mien.web.accounts.models import User
from mien.web.analyses.models import AnalysedFace, Analysis, Batch

_CHUNK = 200


def delete_account(user: User) -> None:
    """Delete a user, every row and file of theirs, and what logs say of them: all of it, or nothing."""
    with transaction.atomic(), disable_auditlog():
        keys = UserSession.objects.filter(user=user).values("session_key")
        Session.objects.filter(session_key__in=keys).delete()
        AccessAttempt.objects.filter(username=user.username).delete()
        about = LogEntry.objects.filter(
            object_pk=str(user.pk), content_type=ContentType.objects.get_for_model(User)
        )
        about.delete()
        LogEntry.objects.filter(actor=user).update(remote_addr=None, actor_email=None)
        AnalysedFace.objects.filter(owner=user).delete()
        user.delete()


def purge(days: int, now: datetime.datetime | None = None, *, only_count: bool = False) -> int:
    """Delete analyses with faces and files, and batches, that are older than `days`.

    Args:
        days: whole days, from 1.
        now: the present; None: by the clock.
        only_count: change nothing.

    Returns:
        How many analyses.
    """
    end = (now or timezone.now()) - datetime.timedelta(days=days)
    old: Any = Analysis.objects.filter(created__lt=end)
    if only_count:
        return int(old.count())
    count = 0
    # in small steps: others can write between them
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:_CHUNK]):
        with transaction.atomic(), disable_auditlog():
            AnalysedFace.objects.filter(analysis__in=some).delete()
            Analysis.objects.filter(pk__in=some).delete()
        count += len(some)
    Batch.objects.filter(created__lt=end, analyses=None).delete()
    return count

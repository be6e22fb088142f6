"""Consent: given, asked for, withdrawn."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from mien.web.privacy.models import NOTICE_VERSION, Consent


def has_consented(user: Any) -> bool:
    """Whether `user` agreed to the present notice and did not withdraw."""
    return Consent.objects.filter(user=user, version=NOTICE_VERSION, withdrawn=None).exists()


def give(user: Any) -> Consent:
    """Record that `user` (None: the operator) agrees to the present notice; twice is once."""
    with transaction.atomic():  # with its line in the audit log, or not at all
        found = Consent.objects.filter(user=user, version=NOTICE_VERSION, withdrawn=None).first()
        return found or Consent.objects.create(user=user, version=NOTICE_VERSION)


def withdraw(user: Any) -> None:
    """Record that `user` agrees no longer."""
    Consent.objects.filter(user=user, withdrawn=None).update(withdrawn=timezone.now())

"""What the REST service remembers for all server processes: rates, and requests that must not count twice."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Rate(models.Model):
    """How often someone called in the present minute of theirs and the one before."""

    subject = models.CharField(max_length=80, primary_key=True)
    started = models.FloatField(db_index=True)  # seconds since 1970: when the present minute began
    count = models.PositiveIntegerField(default=0)
    before = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.subject


class Repeatable(models.Model):
    """A request that its sender named by a key: sent again, it makes nothing a second time.

    Only what was made is kept, not the answer: that is written anew from the rows, and what its owner has
    deleted is gone.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    content = models.CharField(max_length=64)  # SHA-256 of the address and everything that was sent
    started = models.DateTimeField(default=timezone.now, db_index=True)
    made = models.UUIDField(null=True, default=None)  # None: it is being worked on

    class Meta:
        """A key means one request of its user."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("owner", "key", name="a_key_once_an_owner")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.made or uuid.UUID(int=0)}"

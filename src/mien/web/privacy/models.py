"""Who agreed to what, and when."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# The notice that people agree to; a new text gets a new version, and everyone is asked again.
NOTICE_VERSION = "2026-11"


class Consent(models.Model):
    """One agreement to a version of the notice: a user's, or the operator's where `user` is empty."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="consents",
        verbose_name=_("user"),
    )
    version = models.CharField(_("version of the notice"), max_length=20)
    given = models.DateTimeField(_("given"), default=timezone.now, editable=False)
    withdrawn = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    class Meta:
        """Newest first."""

        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering: ClassVar[list[str]] = ["-given", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "version"], name="consent_of_user")
        ]

    def __str__(self) -> str:
        return f"{self.user or _('operator')}, {self.version}"

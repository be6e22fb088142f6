"""Users, their roles, and the tokens of their programs."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# What viewers read. Sessions and the secrets of second factors are not among it.
_VIEWABLE = ("accounts", "analyses", "privacy", "auditlog")


class Theme(models.TextChoices):
    """How pages look."""

    SYSTEM = "system", _("As the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """Someone with an account.

    The role follows from Django's own flags: `is_superuser` is an administrator, `is_staff` alone a viewer,
    who reads the database viewer and changes nothing there, and neither is a user.
    """

    email = models.EmailField(_("email address"), blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    keep_pictures = models.BooleanField(
        _("keep my pictures"), default=False, help_text=_("Without it only the results are kept.")
    )

    class Meta:
        """Two accounts never share an address, however it is written."""

        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                Lower("email"), condition=~models.Q(email=""), name="one_account_an_address"
            ),
        ]

    @property
    def is_administrator(self) -> bool:
        """Whether this user may do everything."""
        return self.is_active and self.is_superuser

    @property
    def is_viewer(self) -> bool:
        """Whether this user may read the database viewer; administrators may as well."""
        return self.is_active and (self.is_staff or self.is_superuser)

    @property
    def role(self) -> str:
        """`administrator`, `viewer` or `user`."""
        return "administrator" if self.is_administrator else "viewer" if self.is_viewer else "user"

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Viewers may view what Mien keeps, and no more."""
        room, _, action = perm.partition(".")
        reading = room in _VIEWABLE and action.startswith("view_")
        return super().has_perm(perm, obj) or (self.is_viewer and reading)

    def has_module_perms(self, app_label: str) -> bool:
        """Viewers see the rooms of what Mien keeps."""
        return (self.is_viewer and app_label in _VIEWABLE) or super().has_module_perms(app_label)


class Scope(models.TextChoices):
    """What a token lets a program do."""

    ANALYSE = "analyse", _("Send pictures to be analysed")
    READ = "read", _("Read and export analyses and statistics")
    DELETE = "delete", _("Delete analyses")


class Token(models.Model):
    """What a program shows instead of a password. Its text is not kept, only a digest of it."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=60)
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    expires = models.DateTimeField(_("ends"), null=True, blank=True)
    last_used = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        """Newest first."""

        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering: ClassVar[list[str]] = ["-created", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def has_expired(self) -> bool:
        """Whether its end has come."""
        return self.expires is not None and self.expires <= timezone.now()

    @property
    def scope_texts(self) -> list[str]:
        """What it was given, in words."""
        return [str(label) for value, label in Scope.choices if value in self.scopes]

    def allows(self, scope: str) -> bool:
        """Whether it was given this scope."""
        return scope in self.scopes

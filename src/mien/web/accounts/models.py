"""Users and their roles."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
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

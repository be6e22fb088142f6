from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.privacy"
    label = "privacy"
    verbose_name = _("privacy")

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.accounts"
    label = "accounts"
    verbose_name = _("accounts")

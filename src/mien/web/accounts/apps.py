from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.accounts"
    label = "accounts"
    verbose_name = _("accounts")

    def ready(self) -> None:
        """There is one way to log in: the database viewer's own knows no second factor."""
        from allauth.account.decorators import secure_admin_login
        from django.contrib import admin

        admin.site.login = secure_admin_login(admin.site.login)

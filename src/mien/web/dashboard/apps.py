from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.dashboard"
    label = "dashboard"
    verbose_name = _("dashboard")

    def ready(self) -> None:
        """See after each migration that the totals are kept."""
        from mien.web.dashboard import totals

        post_migrate.connect(totals.install, sender=self)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.dashboard"
    label = "dashboard"
    verbose_name = _("dashboard")

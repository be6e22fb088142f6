from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.api"
    label = "api"
    verbose_name = _("REST service")

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysesConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.analyses"
    label = "analyses"
    verbose_name = _("analyses")

    def ready(self) -> None:
        """Listen for deleted pictures, whoever deletes them."""
        from mien.web.analyses import pictures  # noqa: F401

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class ViewerConfig(AppConfig):
    """The room, as Django knows it."""

    name = "mien.web.viewer"
    label = "viewer"
    verbose_name = _("database viewer")

    def ready(self) -> None:
        """Log what is done to accounts, tokens and consents."""
        from mien.web.viewer import logged

        logged.register()


class ViewerAdminConfig(AdminConfig):
    """Django's admin, with our site in place of its own."""

    default = False
    default_site = "mien.web.viewer.site.DatabaseViewer"

"""The site of the database viewer."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from mien.web.preferences import local_address, page_context


class DatabaseViewer(AdminSite):
    """Django's admin for viewers and administrators, who log in on Mien's own page, second factor and all."""

    site_header = site_title = index_title = _("Database")
    enable_nav_sidebar = False
    empty_value_display = "–"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the visitor may read the database."""
        return bool(getattr(request.user, "is_viewer", False))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What Mien's frame reads, too."""
        return {**super().each_context(request), **page_context(request)}

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send to Mien's own page."""
        following = local_address(request, request.GET.get("next") or reverse("admin:index"))
        if self.has_permission(request):
            return HttpResponseRedirect(following)
        return redirect_to_login(following, reverse("account_login"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send to Mien's own page."""
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send to Mien's own page."""
        return HttpResponseRedirect(reverse("account_change_password"))

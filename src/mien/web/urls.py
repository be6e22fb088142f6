"""Every address: each room has its own urls.py, every route its rule."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from mien.web import pages, preferences
from mien.web.rules import Rule, route

urlpatterns = [
    route("", pages.home, "home", Rule.ANONYMOUS),
    route("preferences/", preferences.change, "preferences", Rule.ANONYMOUS),
    path("account/", include("mien.web.accounts.urls")),
    path("", include("mien.web.analyses.urls")),
    path("dashboard/", include("mien.web.dashboard.urls")),
    path("privacy/", include("mien.web.privacy.urls")),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("mien.web.api.urls")),  # /detect and /api/
]

handler400 = "mien.web.error_pages.bad_request"
handler403 = "mien.web.error_pages.forbidden"
handler404 = "mien.web.error_pages.not_found"
handler500 = "mien.web.error_pages.server_error"

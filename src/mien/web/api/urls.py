"""Addresses of the REST service; the service itself tells who calls."""

from __future__ import annotations

from django.urls import path

from mien.web.api.documents import viewer
from mien.web.api.service import service
from mien.web.rules import Rule, route

urlpatterns = [
    route("api/v1/docs/", viewer, "api-viewer", Rule.ANONYMOUS),
    path("", service.urls),
]

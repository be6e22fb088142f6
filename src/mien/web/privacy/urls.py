"""Addresses of the room."""

from mien.web.privacy import views
from mien.web.rules import Rule, route

app_name = "privacy"
urlpatterns = [
    route("", views.notice, "notice", Rule.ANONYMOUS),
    route("consent/", views.consent, "consent", Rule.USER),
]

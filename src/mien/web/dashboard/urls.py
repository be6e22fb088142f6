"""Addresses of the room."""

from mien.web.dashboard import views
from mien.web.rules import Rule, route

app_name = "dashboard"
urlpatterns = [
    route("", views.personal, "personal", Rule.USER),
    route("overall/", views.overall, "overall", Rule.ADMINISTRATOR),
]

"""Addresses of the room."""

from mien.web.privacy import views
from mien.web.rules import Rule, route

app_name = "privacy"
urlpatterns = [
    route("", views.notice, "notice", Rule.ANONYMOUS),
    route("consent/", views.consent, "consent", Rule.USER),
    route("data/", views.data, "data", Rule.USER),
    route("data/download/", views.download, "download", Rule.USER),
    route("data/withdraw/", views.withdraw_consent, "withdraw", Rule.USER),
    route("delete/", views.delete, "delete", Rule.USER),
]

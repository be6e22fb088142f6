"""Addresses of the room that are not the package's."""

from mien.web.accounts import views
from mien.web.rules import Rule, route

app_name = "accounts"
urlpatterns = [
    route("", views.profile, "profile", Rule.USER),
    route("everywhere/", views.everywhere, "everywhere", Rule.USER),
    route("tokens/", views.token_list, "tokens", Rule.USER),
    route("tokens/<uuid:token>/revoke/", views.revoke, "revoke", Rule.OWNER),
]

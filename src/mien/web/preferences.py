"""Language and theme: of the account, else of the browser; and what every page is told."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.locale import LocaleMiddleware
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mien.web.accounts.models import Theme, User
from mien.web.navigation import entries_for

THEME_COOKIE = "mien_theme"
_YEAR_S = 31_536_000


class PreferencesMiddleware(LocaleMiddleware):
    """The account's language comes before the browser's cookie and what it asks for."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of this request."""
        super().process_request(request)
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()


def theme_of(request: HttpRequest) -> str:
    """Return `system`, `light` or `dark`."""
    user = getattr(request, "user", None)
    chosen = user.theme if user and user.is_authenticated else request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in Theme.values else str(Theme.SYSTEM)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return what the base template reads."""
    return {
        "theme": theme_of(request),
        "themes": Theme.choices,
        "languages": settings.LANGUAGES,
        "navigation": entries_for(request),
        "registration_open": settings.MIEN.registration,
    }


def local_address(request: HttpRequest, address: str | None) -> str:
    """Return `address` where it leads to a page of this server, else the start page."""
    if address and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return address
    return reverse("home")


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Take another language or theme, for the account or, without one, for the browser."""
    language, theme = request.POST.get("language", ""), request.POST.get("theme", "")
    known = {code for code, _name in settings.LANGUAGES}
    if (language and language not in known) or (theme and theme not in Theme.values):
        messages.error(request, _("There is no such language or theme."))
    chosen = {
        field: value
        for field, value, values in (("language", language, known), ("theme", theme, set(Theme.values)))
        if value in values
    }
    response = HttpResponseRedirect(local_address(request, request.POST.get("next")))
    for field, cookie in (("language", settings.LANGUAGE_COOKIE_NAME), ("theme", THEME_COOKIE)):
        if field in chosen:
            response.set_cookie(
                cookie,
                chosen[field],
                max_age=_YEAR_S,
                secure=settings.MIEN.production,
                httponly=True,
                samesite="Lax",
            )
    if request.user.is_authenticated and chosen:
        User.objects.filter(pk=request.user.pk).update(**chosen)
    return response

"""Who may use which route: stated beside each route, kept by one middleware, walked by a test.

A route of ours is made by `route`; one of a package has its line in `OF_PACKAGES`. A route without a rule
is refused to everyone.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import resolve_url
from django.urls import URLPattern, path

log = logging.getLogger(__name__)


class Rule(StrEnum):
    """Who may use a route. An administrator may use every one but another's objects."""

    ANONYMOUS = "anonymous"  # everyone
    USER = "user"  # whoever is logged in
    OWNER = "owner"  # logged in, and the object in the address is theirs; else it does not exist
    VIEWER = "viewer"  # viewers and administrators
    ADMINISTRATOR = "administrator"
    API = "api"  # the REST service itself tells who calls, by token or session


# Routes of packages, by name or by what the name begins with (ending in a star).
OF_PACKAGES: dict[str, Rule] = {
    "account_login": Rule.ANONYMOUS,
    "account_signup": Rule.ANONYMOUS,
    "account_logout": Rule.ANONYMOUS,
    "account_inactive": Rule.ANONYMOUS,
    "account_confirm_email": Rule.ANONYMOUS,
    "account_email_verification_sent": Rule.ANONYMOUS,
    "account_confirm_login_code": Rule.ANONYMOUS,
    "account_reset_password*": Rule.ANONYMOUS,
    "account_*": Rule.USER,
    "mfa_authenticate": Rule.ANONYMOUS,
    "mfa_*": Rule.USER,
    "usersessions_*": Rule.USER,
    "admin:login": Rule.ANONYMOUS,
    "admin:jsi18n": Rule.VIEWER,
    "admin:*": Rule.VIEWER,
    "api-*": Rule.API,
}


def route(
    address: str, view: Callable[..., Any], name: str, rule: Rule, *, consent: bool = False
) -> URLPattern:
    """Return a route of Django with its rule.

    Args:
        address: as in `django.urls.path`.
        view: the function.
        name: of the route.
        rule: who may use it.
        consent: whoever uses it has to have agreed to the notice; they are asked first.
    """

    @functools.wraps(view)
    def ruled(request: HttpRequest, *args: Any, **values: Any) -> Any:
        return view(request, *args, **values)

    ruled.mien_rule = rule  # type: ignore[attr-defined]
    ruled.mien_consent = consent  # type: ignore[attr-defined]
    return path(address, ruled, name=name)


def rule_of(view: Any, name: str) -> Rule | None:
    """Return the rule of a resolved view, or None where nobody stated one."""
    stated: Rule | None = getattr(view, "mien_rule", None)
    return stated or OF_PACKAGES.get(name) or _longest_prefix(name)


def allows(rule: Rule | None, user: Any) -> bool:
    """Whether `user` may use a route of that rule, whatever the object in its address."""
    if rule in (Rule.ANONYMOUS, Rule.API):
        return True
    if rule is None or not user.is_authenticated:
        return False
    if rule is Rule.VIEWER:
        return bool(user.is_viewer)
    return bool(user.is_administrator) if rule is Rule.ADMINISTRATOR else True


class RulesMiddleware:
    """Refuses what the rule of a route does not allow, before its view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; the rule is looked up once the route is known.

        What someone who is logged in was shown is kept by nobody: not by a proxy, and not by the browser for
        whoever comes after them.
        """
        response = self.get_response(request)
        if not response.has_header("Cache-Control") and request.user.is_authenticated:
            response["Cache-Control"] = "private, no-store"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, values: Any
    ) -> HttpResponse | None:
        """Return the refusal, or None to go on."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        rule = rule_of(view, name)
        if rule is None:
            log.error("route %r has no rule; it is refused to everyone", name)
        if not allows(rule, request.user):
            return self._refusal(request)
        if getattr(view, "mien_consent", False):
            return self._ask_for_consent(request)
        return None

    def _refusal(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            raise PermissionDenied
        if wants_json(request):
            return JsonResponse({"title": "Log in first", "status": 401}, status=401)
        # whoever logs in goes on where they wanted to; a form that was sent is not sent again
        back = request.get_full_path() if request.method in ("GET", "HEAD") else resolve_url("home")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401, headers={"HX-Redirect": f"{resolve_url(settings.LOGIN_URL)}"})
        return redirect_to_login(back)

    def _ask_for_consent(self, request: HttpRequest) -> HttpResponse | None:
        from mien.web.privacy.consent import has_consented

        if not request.user.is_authenticated or has_consented(request.user):
            return None
        if request.headers.get("HX-Request"):
            return HttpResponse(status=403, headers={"HX-Redirect": resolve_url("privacy:consent")})
        return HttpResponseRedirect(resolve_url("privacy:consent") + f"?next={request.path}")


def wants_json(request: HttpRequest) -> bool:
    """Whether the answer is for a program."""
    return request.path.startswith("/api/") or "application/json" in request.headers.get("Accept", "")


def _longest_prefix(name: str) -> Rule | None:
    fitting = [key for key in OF_PACKAGES if key.endswith("*") and name.startswith(key[:-1])]
    return OF_PACKAGES[max(fitting, key=len)] if fitting else None

"""Who calls: by token, by session with its CSRF token, or nobody. And how often they may."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from mien.web.accounts import tokens
from mien.web.api import throttles
from mien.web.api.problems import ProblemError, too_many
from mien.web.privacy.consent import has_consented

CONSENT_ADVICE = "Agree to the notice of use and limits first: log in and open /privacy/consent/."
OPERATOR_ADVICE = "The operator of this server has not agreed to the notice of use yet: run mien serve."


class Token(HttpBearer):
    """A token with the scope that the call needs; no cookie is read, so no CSRF token is needed."""

    def __init__(self, scope: Any, room: str = "api") -> None:
        super().__init__()
        self.scope = scope
        self.room = room

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the account."""
        try:
            found = tokens.authenticate(token.strip(), str(self.scope) if self.scope else None)
        except tokens.MissingScopeError as error:
            raise ProblemError(403, f"{error}.") from None
        if found is None:
            raise ProblemError(401, "This token is unknown, was revoked or has expired.")
        request.user = found.owner
        count_call(self.room, found.owner)
        return found.owner


class Session(APIKeyCookie):
    """A browser that is logged in; what changes something needs the CSRF token (X-CSRFToken) too."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, room: str = "api") -> None:
        super().__init__()
        self.room = room

    def __call__(self, request: HttpRequest) -> Any:
        """Return the account, or None."""
        if not request.user.is_authenticated:
            return None
        if check_csrf(request) is not None:
            raise ProblemError(403, "The CSRF token (header X-CSRFToken) is missing or wrong.")
        count_call(self.room, request.user)
        return request.user

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Not used: Django's own session is what counts."""
        return None


class Anyone:
    """Whoever calls without an account, by their address, where the settings let them."""

    def __call__(self, request: HttpRequest) -> Any:
        """Return the visitor."""
        if not settings.MIEN.detects_for_anyone:
            return None
        subject = throttles.of_address("detect", request.META.get("REMOTE_ADDR", ""))
        _count(subject, settings.MIEN.detect_per_minute)
        return request.user


def account(scope: Any) -> list[Any]:
    """Return who may call what needs an account: `scope` is what a token has to have."""
    return [Token(scope), Session()]


def person() -> list[Any]:
    """Return who may call what no program may: a browser that is logged in."""
    return [Session()]


def need_consent(user: Any) -> None:
    """Refuse to analyse for who did not agree to the notice.

    Args:
        user: an account; None: a visitor without one, for whom the operator has agreed, or not.

    Raises:
        ProblemError: 403.
    """
    if not has_consented(user):
        raise ProblemError(403, OPERATOR_ADVICE if user is None else CONSENT_ADVICE)


def count_call(room: str, user: Any) -> None:
    """Count a call of an account.

    Raises:
        ProblemError: 429, with the time to wait.
    """
    mien = settings.MIEN
    limit = mien.detect_per_minute if room == "detect" else mien.api_per_minute
    _count(throttles.of_account(room, user.pk), limit)


def _count(subject: str, limit: int) -> None:
    if wait := throttles.take(subject, limit):
        raise too_many(wait, limit)

"""Who a name and a password belong to: one hash for each answer, so that its time tells nothing."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from django.http import HttpRequest


class PasswordBackend(AuthenticationBackend):
    """Takes a name or an address.

    The package's own tries one account by its name, its address and both at once, and hashes each time;
    an unknown one costs a single hash.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        called = credentials.get("username") or credentials.get("email") or ""
        user = get_user_by_username(called)
        if user is None and "@" in called:
            user = next(iter(filter_users_by_email(called, prefer_verified=True, for_login=True)), None)
        return self._check_password(user, credentials["password"])

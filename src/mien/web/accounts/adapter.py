"""What allauth asks Mien about accounts."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """The settings decide whether visitors may make accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether the form for a new account is open."""
        return bool(settings.MIEN.registration)

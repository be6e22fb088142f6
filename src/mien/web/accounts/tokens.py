"""Tokens for programs: made once, shown once, kept as a digest only."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from mien.core.errors import OptionError
from mien.web.accounts.models import Scope, Token

PREFIX = "mien_"
MOST_TOKENS = 50
_SEEN_EVERY = datetime.timedelta(minutes=1)


class MissingScopeError(Exception):
    """The token is a good one, but was not given what it was used for (403)."""


def make(
    owner: Any, name: str, scopes: Iterable[str], *, expires: datetime.datetime | None = None
) -> tuple[Token, str]:
    """Make a token and return it with its text, which nobody can read again.

    Args:
        owner: the user whom a program that shows it acts for.
        name: what the user calls it.
        scopes: of `Scope`.
        expires: from then on it is refused; None: never.

    Raises:
        OptionError: an unknown scope or none, an end that is past, or too many tokens.
    """
    chosen = [scope for scope in Scope.values if scope in set(scopes)]
    unknown = sorted(set(scopes) - set(chosen))
    if unknown or not chosen:
        raise OptionError(f"unknown scopes {unknown}; give one or more of {', '.join(Scope.values)}")
    if expires is not None and expires <= timezone.now():
        raise OptionError(f"a token cannot end in the past ({expires:%Y-%m-%d})")
    if Token.objects.filter(owner=owner).count() >= MOST_TOKENS:
        raise OptionError(f"you have {MOST_TOKENS} tokens; revoke one that is used no longer")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():  # with its line in the audit log, or not at all
        token = Token.objects.create(
            owner=owner,
            name=name,
            digest=digest_of(text),
            hint=text[: len(PREFIX) + 4],
            scopes=chosen,
            expires=expires,
        )
    return token, text


def authenticate(text: str, scope: str | None = None) -> Token | None:
    """Return the token of this text, or None where it is unknown, revoked or expired or its owner is closed.

    The time of its last use is noted, at most once a minute. `.owner` is the user.

    Args:
        text: as it came in `Authorization: Bearer`.
        scope: one of `Scope` that the call needs; None: any token will do.

    Raises:
        MissingScopeError: the token is good, but lacks the scope.
    """
    if not text.startswith(PREFIX) or len(text) > 100:
        return None
    now = timezone.now()
    # 256 random bits cannot be guessed: a plain digest keeps them, and an index finds it in no telling time
    good = Q(digest=digest_of(text), owner__is_active=True) & (Q(expires=None) | Q(expires__gt=now))
    token = Token.objects.select_related("owner").filter(good).first()
    if token is None:
        return None
    if scope is not None and not token.allows(scope):
        raise MissingScopeError(f"this token has the scopes {', '.join(token.scopes)}; {scope} is needed")
    if token.last_used is None or now - token.last_used > _SEEN_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used=now)
    return token


def digest_of(text: str) -> str:
    """Return what is kept of a token: the SHA-256 of its text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

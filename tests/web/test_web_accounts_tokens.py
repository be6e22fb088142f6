"""Tokens: shown once, kept as a digest, of a scope, an end and an owner."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from mien.core.errors import OptionError
from mien.web.accounts import tokens
from mien.web.accounts.models import Token

HOUR = datetime.timedelta(hours=1)


def test_a_token_is_known_again_by_its_text_only(ann) -> None:
    token, text = tokens.make(ann, "my script", ["read", "analyse"])
    assert tokens.authenticate(text).owner == ann
    assert tokens.authenticate(text, "analyse") == token
    for wrong in (
        "",
        text[:-1],
        text + "x",
        text.removeprefix("mien_"),
        token.digest,
        "mien_" * 1000,
        "\ud800",
    ):
        assert tokens.authenticate(wrong) is None


def test_the_text_is_kept_nowhere(ann) -> None:
    _token, text = tokens.make(ann, "my script", ["read"])
    kept = str(list(Token.objects.values().get().values()))
    assert text not in kept
    assert text[9:] not in kept


def test_a_scope_that_was_not_given_is_missing(ann) -> None:
    _token, text = tokens.make(ann, "reads", ["read"])
    with pytest.raises(tokens.MissingScopeError, match="analyse is needed"):
        tokens.authenticate(text, "analyse")


def test_expired_revoked_and_closed_are_unknown(ann) -> None:
    token, text = tokens.make(ann, "short", ["read"], expires=timezone.now() + HOUR)
    assert tokens.authenticate(text) == token
    Token.objects.update(expires=timezone.now())
    assert tokens.authenticate(text) is None
    Token.objects.update(expires=None)
    ann.is_active = False
    ann.save()
    assert tokens.authenticate(text) is None
    ann.is_active = True
    ann.save()
    assert tokens.authenticate(text) == token
    token.delete()
    assert tokens.authenticate(text) is None


def test_the_last_use_is_noted_once_a_minute(ann) -> None:
    token, text = tokens.make(ann, "often", ["read"])
    tokens.authenticate(text)
    token.refresh_from_db()
    first = token.last_used
    assert first is not None
    tokens.authenticate(text)
    token.refresh_from_db()
    assert token.last_used == first
    Token.objects.update(last_used=first - HOUR)
    tokens.authenticate(text)
    token.refresh_from_db()
    assert token.last_used > first - HOUR


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "everything"]])
def test_unknown_scopes_are_refused(ann, scopes: list[str]) -> None:
    with pytest.raises(OptionError, match="unknown scopes"):
        tokens.make(ann, "x", scopes)


def test_an_end_in_the_past_and_too_many_are_refused(ann, monkeypatch) -> None:
    with pytest.raises(OptionError, match="in the past"):
        tokens.make(ann, "x", ["read"], expires=timezone.now())
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    tokens.make(ann, "x", ["read"])
    with pytest.raises(OptionError, match="revoke one"):
        tokens.make(ann, "y", ["read"])

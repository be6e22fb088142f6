"""`/api/v1`: who one is, one's tokens, and which models there are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema, Status

from mien.core.errors import CardError
from mien.web import engine
from mien.web.accounts import tokens
from mien.web.accounts.models import Scope, Token
from mien.web.api.callers import account, person
from mien.web.api.documents import refusals
from mien.web.api.schemas import Moment
from mien.web.privacy.consent import has_consented
from mien.zoo.registry import list_models

router = Router(tags=["account"])


class Limits(Schema):
    """What the server lets an account do."""

    detect_per_minute: int
    api_per_minute: int
    photo_mb: int
    batch_photos: int
    upload_mb: int


class Me(Schema):
    """The account that calls."""

    name: str
    email: str
    role: Literal["user", "viewer", "administrator"]
    language: str
    agreed: bool
    keeps_pictures: bool
    limits: Limits


class TokenOut(Schema):
    """A token, without its text."""

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    created: datetime
    expires: datetime | None
    last_used: datetime | None


class MadeToken(TokenOut):
    """A new token; `token` is its text, which is shown this once."""

    token: str


class NewToken(Schema, extra="forbid"):
    """What a new token may do, and until when."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")
    scopes: list[Literal["analyse", "read", "delete"]] = Field(min_length=1, max_length=3)
    expires: Moment | None = None


class ModelOut(Schema):
    """An installed model; `used` is the one that reads photos here."""

    name: str
    digest: str
    labels: list[str]
    licence: str
    used: bool


@router.get(
    "/me", response=Me, auth=account(None), operation_id="me", summary="The account", openapi_extra=refusals()
)
def me(request: HttpRequest) -> Any:
    """Return who calls, and what the limits are."""
    user, mien = request.user, settings.MIEN
    return {
        "name": user.get_username(),
        "email": user.email,
        "role": user.role,
        "language": user.language or settings.LANGUAGE_CODE,
        "agreed": has_consented(user),
        "keeps_pictures": user.keep_pictures and mien.keep_pictures,
        "limits": {name: getattr(mien, name) for name in Limits.model_fields},
    }


@router.get(
    "/models",
    response=list[ModelOut],
    auth=account(Scope.READ),
    operation_id="models",
    summary="Installed models",
    openapi_extra=refusals(),
)
def models(request: HttpRequest) -> Any:
    """Return the models of this server."""
    used = engine.analyzer().model
    found = [_model_out(used.name, used.card, used.digest, True)]
    for entry in list_models():
        try:
            card = entry.card()
        except CardError:
            continue  # cannot be used either
        if card.sha256 and card.sha256 != used.digest:
            found.append(_model_out(entry.name, card, card.sha256, False))
    return found


@router.get(
    "/tokens",
    response=list[TokenOut],
    auth=person(),
    operation_id="tokens",
    summary="Tokens",
    openapi_extra=refusals(),
)
def list_tokens(request: HttpRequest) -> Any:
    """Return the account's tokens. Tokens cannot see, make or revoke tokens."""
    return [_token_out(token) for token in Token.objects.filter(owner=request.user)]


@router.post(
    "/tokens",
    response={201: MadeToken},
    auth=person(),
    operation_id="make_token",
    summary="New token",
    openapi_extra=refusals(413),
)
def make_token(request: HttpRequest, new: NewToken) -> Any:
    """Make a token; its text is in this answer and nowhere else."""
    token, text = tokens.make(request.user, new.name, new.scopes, expires=new.expires)
    return Status(201, {**_token_out(token), "token": text})


@router.delete(
    "/tokens/{uuid:token_id}",
    response={204: None},
    auth=person(),
    operation_id="revoke_token",
    summary="Revoke a token",
    openapi_extra=refusals(404),
)
def revoke_token(request: HttpRequest, token_id: UUID) -> Any:
    """Revoke a token at once."""
    get_object_or_404(Token, owner=request.user, uid=token_id).delete()
    return Status(204, None)


def _token_out(token: Token) -> dict[str, Any]:
    names = ("name", "hint", "scopes", "created", "expires", "last_used")
    return {"id": token.uid, **{name: getattr(token, name) for name in names}}


def _model_out(name: str, card: Any, digest: str, used: bool) -> dict[str, Any]:
    return {
        "name": name,
        "digest": digest,
        "labels": list(card.labels),
        "licence": card.licence,
        "used": used,
    }

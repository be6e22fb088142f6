"""What the tests of the REST service share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mien.web.accounts import tokens

API = "/api/v1"
PROBLEM = "application/problem+json"


def upload(content: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    """A file for a form."""
    return SimpleUploadedFile(name, content, "image/jpeg")


def bearer(user: Any, *scopes: str) -> dict[str, str]:
    """A header with a new token; without scopes it has all."""
    text = tokens.make(user, "a program", scopes or ("analyse", "read", "delete"))[1]
    return {"HTTP_AUTHORIZATION": f"Bearer {text}"}


def program(user: Any, *scopes: str) -> Client:
    """A client that shows a token, as a program does: without cookies, with CSRF checks on."""
    return Client(enforce_csrf_checks=True, **bearer(user, *scopes))


def set_mien(settings: Any, **values: Any) -> None:
    """Change settings of Mien for this test."""
    settings.MIEN = replace(settings.MIEN, **values)


def is_problem(response: Any, status: int) -> bool:
    """Whether a request was refused with this status, in the shape of RFC 9457."""
    told = response.json() if response["Content-Type"] == PROBLEM else {}
    return bool(
        response.status_code == status == told.get("status")
        and {"type", "title", "detail"} <= set(told)
        and "Traceback" not in response.text
    )

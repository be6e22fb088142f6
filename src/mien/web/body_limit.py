"""How much a request may carry: counted while it arrives, before a byte of it is looked at.

Django keeps what arrives in a temporary file, of any size and from anyone. Here a body that says it is too
large, or that goes on for too long without saying so, ends; the answer is 413 and the connection is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from mien.web.error_pages import error_page
from mien.web.settings_table import WebSettings

Message = MutableMapping[str, Any]
Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

MB = 1_000_000
# What a form needs around its files: boundaries, names, other fields.
_AROUND = 100_000
_FLAG = "mien_too_large"

# Addresses that take more than a small form, by how they begin; the longest that fits counts.
LIMITS: dict[str, Callable[[WebSettings], int]] = {
    "/": lambda mien: MB,
    "/detect": lambda mien: mien.photo_mb * MB + _AROUND,
    "/api/v1/analyses": lambda mien: mien.photo_mb * MB + _AROUND,
    "/api/v1/batches": lambda mien: mien.upload_mb * MB + _AROUND,
    "/photos/": lambda mien: mien.upload_mb * MB + _AROUND,
}


def limit_of(path: str, mien: WebSettings) -> int:
    """Return how many bytes a request to `path` may carry."""
    return LIMITS[max((start for start in LIMITS if path.startswith(start)), key=len, default="/")](mien)


class BodyLimit:
    """An ASGI application around another, which never sees more of a body than is allowed."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Pass the request on, with its body for as long as that is within the limit."""
        limit = limit_of(scope["path"], settings.MIEN)
        left = limit
        if _stated_length(scope) > limit:
            scope[_FLAG] = True

        ended = False

        async def receive_within() -> Message:
            nonlocal left, ended
            if ended:
                return await _disconnected(receive)
            if not scope.get(_FLAG):
                message = await receive()
                left -= len(message.get("body", b""))
                if left >= 0:
                    return message
                scope[_FLAG] = True
            ended = True
            return {"type": "http.request", "body": b"", "more_body": False}

        await self.application(scope, receive_within, send)


class BodyLimitMiddleware:
    """Answers what `BodyLimit` cut off, in the language and the shape that the visitor reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return 413 for a request that was cut off."""
        if getattr(request, "scope", {}).get(_FLAG):
            # what is still on its way would otherwise be taken for the next request
            return error_page(request, 413, headers={"Connection": "close"})
        return self.get_response(request)


async def _disconnected(receive: Callable[[], Awaitable[Message]]) -> Message:
    """Wait until the visitor is gone; what still comes of the body goes nowhere."""
    while (message := await receive())["type"] == "http.request":
        pass
    return message


def _stated_length(scope: MutableMapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            try:
                return int(value)
            except ValueError:
                return 0
    return 0

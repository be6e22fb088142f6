"""What is refused, and how it is said: problem+json (RFC 9457), and R3's `{"error"}` for `/detect`."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from mien.core.errors import ImageError, ImageLimitError, MienError, ModelError, OptionError
from mien.web.analyses.reading import PhotoRefusedError
from mien.web.error_pages import trouble

DETECT = "/detect"
TYPE = "application/problem+json"

# What each status means here; the descriptions of the OpenAPI document.
MEANINGS: dict[int, str] = {
    400: "The request cannot be read.",
    401: "No token or session, or one that is good no longer.",
    403: "The token lacks a scope, the CSRF token is missing, or the notice was not agreed to.",
    404: "There is no such object of yours.",
    409: "The idempotency key was used for other content, or its request is still being worked on.",
    410: "What this idempotency key made was deleted since.",
    413: "A file, or all of them, or a picture's size in pixels is over the limit.",
    422: "A value is missing or not possible, or a file is no picture.",
    429: "Too many calls in a minute; Retry-After says in how many seconds to go on.",
    503: "The server is busy; Retry-After says when to try again.",
    507: "The server's disk is full.",
}
_RETRY_S = 5


class ProblemError(Exception):
    """A request that is refused: its status, and what the caller can do."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.errors = errors


def problem_response(path: str, problem: ProblemError) -> HttpResponse:
    """Return the problem in the shape that the address `path` has."""
    body: dict[str, Any]
    if path == DETECT:
        body, content_type = {"error": problem.detail}, "application/json"
    else:
        title = HTTPStatus(problem.status).phrase
        body = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.detail}
        if problem.errors is not None:
            body["errors"] = problem.errors
        content_type = TYPE
    headers = dict(problem.headers)
    if problem.status == 503:
        headers.setdefault("Retry-After", str(_RETRY_S))
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return HttpResponse(json.dumps(body), status=problem.status, content_type=content_type, headers=headers)


def too_many(wait_s: float, limit: int) -> ProblemError:
    """Return the problem of who calls too often."""
    seconds = max(1, math.ceil(wait_s))
    return ProblemError(
        429,
        f"More than {limit} calls in a minute. Go on in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )


def install(api: NinjaAPI) -> None:
    """Answer every exception of the service as a problem; those that are faults of ours stay faults."""

    def answers(kind: type[Exception]) -> None:
        def handle(request: HttpRequest, error: Any) -> HttpResponse:
            problem = _problem_of(error)
            if problem is None:
                raise error
            return problem_response(request.path, problem)

        api.add_exception_handler(kind, handle)

    for kind in (ProblemError, ValidationError, HttpError, Http404, MienError, SuspiciousOperation):
        answers(kind)
    for kind in (MultiPartParserError, UnreadablePostError, DatabaseError, OSError, PhotoRefusedError):
        answers(kind)


def _problem_of(error: Exception) -> ProblemError | None:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, PhotoRefusedError):
        return ProblemError(error.refusal.status, str(error))
    if isinstance(error, ValidationError):
        return _invalid(error)
    if isinstance(error, AuthenticationError):
        return ProblemError(401, "Send a token (Authorization: Bearer …), or log in.")
    if isinstance(error, HttpError):
        return ProblemError(error.status_code, "The body is no JSON that can be read here.")
    if isinstance(error, Http404):
        return ProblemError(404, "There is no such object, or it is not yours.")
    if isinstance(error, MultiPartParserError | UnreadablePostError):
        return ProblemError(400, "The form in the body is damaged or ends too early.")
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return ProblemError(413, "The form has too many parts, or too large ones.")
    if isinstance(error, SuspiciousOperation):
        return ProblemError(400, "The request cannot be read.")
    return _problem_inside(error)


def _problem_inside(error: Exception) -> ProblemError | None:
    """Return the problem of an error of the library, the database or the disk."""
    if isinstance(error, ImageLimitError):
        return ProblemError(413, str(error))
    if isinstance(error, ImageError | OptionError):
        return ProblemError(422, str(error))
    if isinstance(error, ModelError):
        return ProblemError(503, "The server's model cannot be used; its operator has to see to it.")
    status = trouble(error)
    if status == 500:
        return None
    busy = "The database is busy. Try it again in a moment."
    return ProblemError(status, busy if status == 503 else "The server's disk is full. Nothing was lost.")


def _invalid(error: ValidationError) -> ProblemError:
    """Return which values are wrong; the values themselves are not repeated."""
    found = [
        {"where": ".".join(str(part) for part in one["loc"]), "why": str(one["msg"])} for one in error.errors
    ]
    first = found[0] if found else {"where": "body", "why": "not possible"}
    return ProblemError(422, f"{first['where']}: {first['why']}", errors=found)

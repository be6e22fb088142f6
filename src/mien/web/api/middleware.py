"""Around the REST service: one shape for whatever is refused on the way, and CORS where it is set."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from mien.web import settings_table
from mien.web.api.problems import DETECT, ProblemError, problem_response

ROOT = "/api/"
_METHODS = "GET, POST, PATCH, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key"
_READABLE = "Retry-After, Idempotency-Replayed"
_DAY_S = "86400"
# refusals of the server around the service, which has no shape of its own for them
_DETAILS = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that method; the header Allow says which it takes.",
    413: "This is too large.",
    500: "Something went wrong on the server's side; it was noted in its log.",
    503: "The server is busy. Try it again in a moment.",
    507: "The server's disk is full. Nothing was lost.",
}


class ServiceMiddleware:
    """Sees what comes to the REST service first, and what goes from it last."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer in the service's shape; other addresses are passed on."""
        if not (request.path.startswith(ROOT) or request.path == DETECT):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        known = origin in settings_table.listed(settings.MIEN.cors_origins)
        if known and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response = HttpResponse(status=204)
            response["Access-Control-Allow-Methods"] = _METHODS
            response["Access-Control-Allow-Headers"] = _HEADERS
            response["Access-Control-Max-Age"] = _DAY_S
        else:
            response = _in_shape(request, self.get_response(request))
            response.setdefault("Cache-Control", "no-store")
        if settings.MIEN.cors_origins:
            patch_vary_headers(response, ["Origin"])
        if known:
            # no credentials: pages elsewhere show a token, never this server's cookie
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = _READABLE
        return response


def _in_shape(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return refusals that were not written by the service in its shape; everything else as it is."""
    own = "application/json" if request.path == DETECT else "application/problem+json"
    if response.status_code < 400 or response.get("Content-Type", "").startswith(own):
        return response
    status = response.status_code
    detail = _DETAILS.get(status, response.reason_phrase)
    kept = {name: response[name] for name in ("Allow", "Retry-After", "Connection") if name in response}
    shaped = problem_response(request.path, ProblemError(status, detail, headers=kept))
    shaped.cookies = response.cookies
    return shaped

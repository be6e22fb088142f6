"""The OpenAPI document: what is refused is declared with it, and the page that shows it."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Schema

from mien.web.api.problems import MEANINGS, TYPE


class Wrong(Schema):
    """One value that is not possible."""

    where: str
    why: str


class Problem(Schema):
    """Why a request was refused (RFC 9457); `errors` where values are wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Wrong] | None = None


# every call can be refused by these
_ALWAYS = (400, 401, 403, 422, 429, 503, 507)


def refusals(*statuses: int) -> dict[str, Any]:
    """Return the description of an operation that is refused with `statuses`, and those of every one."""
    content = {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = {
        status: {"description": MEANINGS[status], "content": content}
        for status in sorted({*_ALWAYS, *statuses})
    }
    return {"responses": responses}


def file_answer(types: dict[str, str], *statuses: int) -> dict[str, Any]:
    """Return the description of an operation that answers with a file of one of `types`."""
    described = refusals(*statuses)
    # a file of its own kind: OpenAPI 3.1 says nothing more of it
    binary: dict[str, Any] = {}
    described["responses"][200] = {
        "description": "The file.",
        "content": {one.partition(";")[0]: binary for one in types.values()},
    }
    return described


class Service(NinjaAPI):
    """The REST service, whose document declares the shapes of refusals too."""

    def get_openapi_schema(self, **values: Any) -> Any:
        """Return the document; it is the same for everyone, and is made once."""
        return _document(self)


@cache
def _document(api: Service) -> Any:
    from mien.web.api.detect import DetectError

    document = NinjaAPI.get_openapi_schema(api, path_prefix="/")
    for shape in (Problem, Wrong, DetectError):
        plain = shape.model_json_schema(ref_template="#/components/schemas/{model}")
        plain.pop("$defs", None)
        document["components"]["schemas"][shape.__name__] = plain
    return document


@require_safe
def viewer(request: HttpRequest) -> HttpResponse:
    """The page where the service is read and tried."""
    return render(request, "api/viewer.html")

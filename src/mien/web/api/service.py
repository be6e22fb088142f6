"""The REST service put together: R3's `/detect` and `/api/v1`, one OpenAPI document."""

from __future__ import annotations

import json
from typing import Any, NoReturn, cast

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser

from mien.web.api import accounts, analyses, detect, problems, reports
from mien.web.api.documents import Service

_ABOUT = """\
Reads facial emotion from photos. An expression is not an inner state; in the EU, inferring emotion at work \
and in education is prohibited outside medical and safety uses (AI Act, Article 5(1)(f)).

Programs send a token, `Authorization: Bearer mien_…`, made on the page of the account. Refusals are \
problem+json (RFC 9457); those of `/detect` are `{"error": …}`."""


class StrictParser(Parser):
    """Takes JSON as its standard has it: NaN and Infinity are none."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return what the body says."""
        try:
            return json.loads(request.body, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise HttpError(400, "no JSON") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _made() -> Service:
    service = Service(
        title="Mien",
        version="1",
        description=_ABOUT,
        urls_namespace="api-1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        parser=StrictParser(),
    )
    problems.install(service)
    service.add_router("", detect.router)
    for room in (accounts, analyses, reports):
        service.add_router("/api/v1", room.router)
    return service


service = cast(Any, _made())

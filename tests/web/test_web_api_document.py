"""The OpenAPI document: schemathesis calls all that it has, and its viewer works."""

from __future__ import annotations

import json
from contextlib import closing
from functools import cache

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from web_api_support import API, PROBLEM, bearer, set_mien

pytestmark = pytest.mark.django_db
DOCUMENT = f"{API}/openapi.json"
CHECKS = [
    *(not_a_server_error, status_code_conformance, content_type_conformance),
    *(response_headers_conformance, response_schema_conformance),
]


def document() -> dict:
    from mien.web.api.service import service

    return json.loads(json.dumps(service.get_openapi_schema()))


def operations() -> list[tuple[str, str]]:
    from web_support import HAS_WEB

    if not HAS_WEB:
        return []
    return [(path, method) for path, methods in document()["paths"].items() for method in methods]


def test_it_is_open_api_3_1_and_the_same_for_everyone(client, client_of, ann) -> None:
    told = client.get(DOCUMENT)
    assert told.status_code == 200
    assert told.json()["openapi"].startswith("3.1")
    assert told.json() == client_of(ann).get(DOCUMENT).json()


@pytest.mark.parametrize(("path", "method"), operations(), ids=lambda part: part)
def test_every_operation_declares_its_refusals(path: str, method: str) -> None:
    operation = document()["paths"][path][method]
    declared = operation["responses"]
    assert {"400", "401", "403", "422", "429", "503", "507"} <= set(declared)
    assert ("404" in declared) == ("{" in path)
    assert "requestBody" not in operation or "413" in declared
    assert operation["summary"]
    assert operation["description"]
    kind = "application/json" if path == "/detect" else PROBLEM
    for status, response in declared.items():
        assert response["description"]
        if int(status) >= 400:
            assert list(response["content"]) == [kind]


def test_every_reference_leads_somewhere() -> None:
    told = document()
    text = json.dumps(told)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in told["components"]["schemas"]


@cache
def schema():
    """The service as schemathesis calls it, in this process."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def whole(environ, start_response):
        with closing(application(environ, start_response)) as answer:
            return [b"".join(answer)]

    return schemathesis.openapi.from_wsgi(DOCUMENT, whole)


@pytest.mark.parametrize(("path", "method"), operations(), ids=lambda part: part)
def test_whatever_is_sent_gets_an_answer_of_the_document(
    path: str, method: str, settings, client_of, ann
) -> None:
    set_mien(settings, api_per_minute=100_000, detect_per_minute=100_000)
    headers = bearer_or_session(path, ann, client_of)
    operation = schema()[path][method.upper()]

    @examples(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data) -> None:
        mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        response = case.call(base_url="http://localhost", headers=headers)
        case.validate_response(response, checks=CHECKS)

    send()


def bearer_or_session(path: str, user, client_of) -> dict[str, str]:
    """A session where only people may call, else a token."""
    if not path.startswith(f"{API}/tokens"):
        return {"Authorization": bearer(user)["HTTP_AUTHORIZATION"]}
    session = client_of(user).cookies["mien_session"].value
    return {"Cookie": f"mien_session={session}; mien_csrf={'x' * 32}", "X-CSRFToken": "x" * 32}


def test_the_viewer_shows_every_call_and_asks_nobody_else(browse, ann) -> None:
    for width, scheme in ((1280, "light"), (400, "dark")):
        page = browse(ann, width=width, scheme=scheme)
        page.goto(f"{API}/docs/")
        page.wait_for_selector(".opblock")
        assert page.locator(".opblock").count() == len(operations())
    page.locator("#operations-account-me .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.wait_for_selector(".live-responses-table .response-col_status")
    assert "200" in page.locator(".live-responses-table .response-col_status").last.inner_text()

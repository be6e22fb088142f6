"""Who may call `/api/v1`: by token with a scope, by session with its CSRF token; CORS where it is set."""

from __future__ import annotations

import pytest
from django.test import Client
from web_api_support import API, PROBLEM, bearer, is_problem, program, set_mien, upload

from mien.web.accounts.models import Token

pytestmark = pytest.mark.django_db
ORIGIN = "https://app.example.org"


@pytest.mark.parametrize(
    "path", ["me", "models", "tokens", "analyses", "batches", "statistics", "export?format=csv"]
)
def test_nobody_is_told_to_say_who_they_are(client, path: str) -> None:
    response = client.get(f"{API}/{path}")
    assert is_problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_every_scope_opens_its_own_calls_only(ann, photo, make_analysis) -> None:
    calls = {
        "read": lambda c: c.get(f"{API}/analyses"),
        "analyse": lambda c: c.post(f"{API}/analyses", {"image": upload(photo)}),
        "delete": lambda c: c.delete(f"{API}/analyses/{make_analysis(ann).uid}"),
    }
    for scope in calls:
        caller = program(ann, scope)
        for needed, call in calls.items():
            status = call(caller).status_code
            assert (status < 300) == (needed == scope), (scope, needed, status)
        assert caller.get(f"{API}/me").status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer mien_x", "Basic YTpi", "mien_x", "Bearer " + "x" * 5000, "Bearer é"],
)
def test_what_is_no_token(client, header: str) -> None:
    assert is_problem(client.get(f"{API}/me", HTTP_AUTHORIZATION=header), 401)


def test_a_wrong_token_does_not_fall_back_to_the_session(client_of, ann) -> None:
    assert is_problem(client_of(ann).get(f"{API}/me", HTTP_AUTHORIZATION="Bearer mien_x"), 401)


def test_a_session_reads_and_writes_with_its_csrf_token_only(client_of, ann) -> None:
    client = client_of(ann)
    client.handler.enforce_csrf_checks = True
    assert client.get(f"{API}/me").status_code == 200
    new = {"name": "laptop", "scopes": ["read"]}
    kind = "application/json"
    assert is_problem(client.post(f"{API}/tokens", new, content_type=kind), 403)
    client.cookies["mien_csrf"] = "x" * 32
    made = client.post(f"{API}/tokens", new, content_type=kind, HTTP_X_CSRFTOKEN="x" * 32)
    assert made.status_code == 201


def test_me(ann) -> None:
    told = program(ann).get(f"{API}/me").json()
    assert (told["name"], told["role"], told["agreed"]) == ("ann", "user", True)
    assert told["limits"]["photo_mb"] == 10


def test_models(ann) -> None:
    found = program(ann).get(f"{API}/models").json()
    assert [model["used"] for model in found].count(True) == 1
    assert len(found[0]["digest"]) == 64


def test_tokens_are_for_people_not_for_tokens(ann) -> None:
    assert is_problem(program(ann).get(f"{API}/tokens"), 401)


def test_a_token_is_made_shown_once_and_revoked(client_of, ann, bob) -> None:
    person, other = client_of(ann), client_of(bob)
    new = {"name": "laptop", "scopes": ["read"], "expires": "2199-01-01T00:00:00Z"}
    made = person.post(f"{API}/tokens", new, content_type="application/json").json()
    assert made["token"].startswith("mien_")
    header = {"HTTP_AUTHORIZATION": f"Bearer {made['token']}"}
    assert Client().get(f"{API}/analyses", **header).status_code == 200
    (listed,) = person.get(f"{API}/tokens").json()
    assert "token" not in listed
    assert listed["id"] == made["id"]
    assert is_problem(other.delete(f"{API}/tokens/{made['id']}"), 404)
    assert person.delete(f"{API}/tokens/{made['id']}").status_code == 204
    assert is_problem(Client().get(f"{API}/analyses", **header), 401)


@pytest.mark.parametrize(
    "new",
    [
        {},
        [],
        {"name": "", "scopes": ["read"]},
        {"name": "a\u0000b", "scopes": ["read"]},
        {"name": "x" * 61, "scopes": ["read"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "scopes": ["read"], "expires": "2001-01-01T00:00:00Z"},
        {"name": "x", "scopes": ["read"], "expires": "9999-12-31T23:59:59.999999-23:59"},
        {"name": "x", "scopes": ["read"], "owner": 1},
    ],
    ids=repr,
)
def test_tokens_that_cannot_be(client_of, ann, new) -> None:
    response = client_of(ann).post(f"{API}/tokens", new, content_type="application/json")
    assert is_problem(response, 422)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"NaN", b'{"name": NaN}', b"[" * 100_000, b"\xff\xfe", b"1e999999", b'{"a":' * 50_000],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json(client_of, ann, body: bytes) -> None:
    response = client_of(ann).post(f"{API}/tokens", body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert is_problem(response, response.status_code)
    assert not Token.objects.exists()


def test_a_lone_surrogate_reaches_no_row(client_of, ann) -> None:
    body = b'{"name": "\\ud800", "scopes": ["read"]}'
    assert is_problem(client_of(ann).post(f"{API}/tokens", body, content_type="application/json"), 422)


def test_an_account_calls_so_often_by_all_its_tokens_together(ann, bob, settings) -> None:
    set_mien(settings, api_per_minute=3)
    first, second = program(ann), program(ann)
    assert [one.get(f"{API}/me").status_code for one in (first, second, first)] == [200] * 3
    response = second.get(f"{API}/me")
    assert is_problem(response, 429)
    assert int(response["Retry-After"]) >= 1
    assert program(bob).get(f"{API}/me").status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options"])
def test_other_methods(ann, method: str) -> None:
    response = getattr(program(ann), method)(f"{API}/analyses")
    assert is_problem(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


def test_an_unknown_address(client) -> None:
    assert is_problem(client.get(f"{API}/nothing"), 404)
    assert is_problem(client.get("/api/v2/me"), 404)


def test_pages_elsewhere_are_answered_only_where_that_is_set(client, ann, settings) -> None:
    header = bearer(ann)
    asked = {"HTTP_ORIGIN": ORIGIN, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}
    response = client.get(f"{API}/me", HTTP_ORIGIN=ORIGIN, **header)
    assert "Access-Control-Allow-Origin" not in response
    assert "Access-Control-Allow-Origin" not in client.options(f"{API}/me", **asked)

    set_mien(settings, cors_origins=f"https://other.example.org, {ORIGIN}")
    response = client.get(f"{API}/me", HTTP_ORIGIN=ORIGIN, **header)
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in response["Vary"]
    assert "Access-Control-Allow-Credentials" not in response
    before = client.options("/detect", **asked)
    assert before.status_code == 204
    assert "Authorization" in before["Access-Control-Allow-Headers"]
    response = client.get(f"{API}/me", HTTP_ORIGIN="https://evil.example.org", **header)
    assert "Access-Control-Allow-Origin" not in response
    assert "Origin" in response["Vary"]
    assert "Access-Control-Allow-Origin" not in client.get("/", HTTP_ORIGIN=ORIGIN)


def test_answers_are_not_kept_by_caches(ann, client) -> None:
    assert "no-store" in program(ann).get(f"{API}/me")["Cache-Control"]
    assert client.get(f"{API}/me")["Content-Type"] == PROBLEM


def test_the_rule_is_kept_for_every_role(client_of, ann, bob, viewer, administrator, make_analysis) -> None:
    place = f"{API}/analyses/{make_analysis(ann).uid}"
    assert client_of(ann).get(place).status_code == 200
    for other in (bob, viewer, administrator):
        for method in ("get", "delete"):
            assert is_problem(getattr(client_of(other), method)(place), 404)
    everyone = f"{API}/statistics?everyone=true"
    assert client_of(administrator).get(everyone).json()["analyses"] == 1
    assert is_problem(client_of(ann).get(everyone), 403)

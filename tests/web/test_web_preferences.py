"""Choices of language and theme, and addresses that lead away."""

from __future__ import annotations

import pytest

CHANGE = "/preferences/"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\x00/x",
        "",
    ],
)
@pytest.mark.django_db
def test_no_address_leads_to_another_site(client, ann, client_of, address: str) -> None:
    assert client.post(CHANGE, {"theme": "dark", "next": address})["Location"] == "/"
    agreed = client_of(ann).post("/privacy/consent/", {"agree": "yes", "next": address})
    assert agreed["Location"] == "/"


@pytest.mark.django_db
def test_an_address_of_this_site_is_gone_to(client) -> None:
    assert client.post(CHANGE, {"theme": "dark", "next": "/privacy/?a=1"})["Location"] == "/privacy/?a=1"


@pytest.mark.parametrize("data", [{"theme": "pink"}, {"language": "xx"}, {"language": "../../en"}])
@pytest.mark.django_db
def test_what_is_not_on_offer_changes_nothing(client, data: dict[str, str]) -> None:
    response = client.post(CHANGE, data, follow=True)
    assert "mien_theme" not in client.cookies
    assert "mien_language" not in client.cookies
    assert "no such language or theme" in response.content.decode()


@pytest.mark.django_db
def test_a_change_needs_the_forms_token(ann) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    response = strict.post(CHANGE, {"theme": "dark"})
    assert response.status_code == 403
    assert "too old" in response.content.decode()


@pytest.mark.parametrize("language", ["vi", "ro"])
@pytest.mark.django_db
def test_every_page_of_an_error_is_translated(client, language: str) -> None:
    english = "There is nothing here"
    assert english in client.get("/nothing/").content.decode()
    client.post(CHANGE, {"language": language})
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert answer["Content-Language"] == language
    assert english not in answer.content.decode()


@pytest.mark.django_db
def test_every_page_says_what_browsers_may_do(client) -> None:
    answer = client.get("/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_a_view_that_fails_is_a_page_and_tells_nothing(client, settings) -> None:
    settings.ROOT_URLCONF = "urls_that_fail"
    client.raise_request_exception = False
    answer = client.get("/fail/")
    assert answer.status_code == 500
    assert "went wrong" in answer.content.decode()
    assert "secret" not in answer.content.decode()
    told = client.get("/fail/", headers={"Accept": "application/json"})
    assert told["Content-Type"] == "application/problem+json"
    assert (told.json()["status"], "secret" in told.content.decode()) == (500, False)


def test_nobody_keeps_what_someone_who_is_logged_in_was_shown(client_of, ann) -> None:
    assert client_of(ann).get("/privacy/consent/")["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in client_of().get("/privacy/")

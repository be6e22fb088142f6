"""The package's routes of accounts: what each answers to everyone, in one table."""

from __future__ import annotations

import pytest
from django.urls import reverse
from web_support import routes

LOGIN = "/account/login/"
PREFIXES = ("account_", "mfa_", "usersessions_")
ARGUMENTS = {"key": "xx", "uidb36": "1"}

# name: what an anonymous visitor gets, what someone who is logged in gets. 200: a page; "login": they are
# sent there; "again": asked for their password once more; "home", "on": sent elsewhere in the server; 4xx.
# Without recent authentication, second factors ask for the password before they change anything.
TABLE: dict[str, tuple[int | str, int | str]] = {
    "account_login": (200, "on"),
    "account_logout": ("on", 200),
    "account_inactive": (200, 200),
    "account_signup": (200, "on"),
    "account_reauthenticate": ("login", 200),
    "account_email": ("login", 200),
    "account_email_verification_sent": (200, 200),
    "account_change_password": ("login", 200),
    "account_set_password": ("login", "on"),
    "account_reset_password": (200, 200),
    "account_confirm_login_code": ("login", "on"),
    "account_confirm_email": (200, 200),
    "account_reset_password_from_key_done": (200, 200),
    "account_reset_password_from_key": (200, 200),
    "account_reset_password_done": (200, 200),
    "mfa_index": ("login", 200),
    "mfa_authenticate": ("login", "on"),
    "mfa_reauthenticate": ("login", "again"),
    "mfa_activate_totp": ("login", "again"),
    "mfa_deactivate_totp": ("login", 404),
    "mfa_view_recovery_codes": ("login", 404),
    "mfa_generate_recovery_codes": ("login", "again"),
    "mfa_download_recovery_codes": ("login", 404),
    "usersessions_list": ("login", 200),
}
FOUND = {found.name: found for found in routes() if found.name.startswith(PREFIXES)}


def answer(response) -> int | str:
    if response.status_code != 302:
        return response.status_code
    place = response["Location"]
    assert place.startswith("/")
    assert not place.startswith("//")
    return "login" if place.startswith(LOGIN) else "again" if "reauthenticate" in place else "on"


def address(name: str) -> str:
    return reverse(name, kwargs={argument: ARGUMENTS[argument] for argument in FOUND[name].arguments})


def test_the_table_has_every_route() -> None:
    assert set(TABLE) == set(FOUND)


@pytest.mark.parametrize("name", TABLE)
def test_everyone_gets_what_the_table_says(name: str, client_of, ann, viewer, administrator) -> None:
    anonymous, inside = TABLE[name]
    assert answer(client_of().get(address(name))) == anonymous
    for user in (ann, viewer, administrator):
        assert answer(client_of(user).get(address(name))) == inside, user


@pytest.mark.parametrize("name", TABLE)
def test_an_empty_form_breaks_and_changes_nothing(name: str, client_of, ann) -> None:
    before = ann.password
    for client in (client_of(), client_of(ann)):
        assert client.post(address(name)).status_code < 500
    ann.refresh_from_db()
    assert ann.password == before
    assert ann.is_active

"""Accounts that the operator makes: the same rules as for visitors, and a sentence for each refusal."""

from __future__ import annotations

import pytest
from web_support import PASSWORD

from mien.core.errors import OptionError
from mien.web.accounts import making

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["user", "viewer", "administrator"])
def test_an_account_has_its_role_and_can_log_in(role: str, client) -> None:
    user = making.create("Ada", PASSWORD, email="ada@example.org", role=role)
    assert (user.username, user.role) == ("ada", role)
    response = client.post("/account/login/", {"login": "ada", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")


@pytest.mark.parametrize(
    ("name", "email", "password", "named"),
    [
        ("ann", "", PASSWORD, "already"),
        ("ANN", "", PASSWORD, "already"),
        ("new", "ANN@example.org", PASSWORD, "ANN@example.org"),
        ("a b", "", PASSWORD, "username"),
        ("", "", PASSWORD, "blank"),
        ("new", "nowhere", PASSWORD, "email"),
        ("new", "", "123456789", "numeric"),
        ("new", "", "", "short"),
        ("harbour", "", "harbour1", "similar"),
    ],
)
def test_what_cannot_be_an_account_is_refused(ann, name: str, email: str, password: str, named: str) -> None:
    with pytest.raises(OptionError, match=named):
        making.create(name, password, email=email)


@pytest.mark.parametrize("name", ["ann", "ANN", "ann@example.org"])
def test_a_new_password_ends_every_session(ann, name: str, client_of, client) -> None:
    before = client_of(ann)
    assert before.get("/privacy/consent/").status_code == 200
    making.set_password(making.find(name), "another harbour 8")
    assert before.get("/privacy/consent/").status_code == 302
    assert (
        client.post("/account/login/", {"login": "ann", "password": "another harbour 8"}).status_code == 302
    )


@pytest.mark.parametrize("name", ["nobody", ""])
def test_who_is_not_there_is_not_found(db, name: str) -> None:
    with pytest.raises(OptionError, match="no user"):
        making.find(name)

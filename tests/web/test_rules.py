"""Every route has a rule, and the rule is kept for every role; another's object does not exist."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, reverse
from web_support import Found, routes

from mien.web.accounts import tokens
from mien.web.analyses.models import Batch
from mien.web.rules import OF_PACKAGES, Rule, rule_of

ROUTES = list(routes())
LOGIN = "/account/login/"
# A value for every argument in an address of a page; objects are ann's. Add a line with a new argument.
SAMPLES = {
    "token": lambda ann, _make_analysis: tokens.make(ann, "a program", ["read"])[0].uid,
    "batch": lambda ann, make_analysis: Batch.objects.create(owner=ann, total=1).uid,
    "picture": lambda ann, make_analysis: make_analysis(ann, picture=True).uid,
    "uid": lambda ann, make_analysis: make_analysis(ann).uid,
}
# Routes whose answer to whom they let in is not a page of their own.
ELSEWHERE = ("account_", "mfa_", "usersessions_", "admin:", "api-")


def own() -> list[Found]:
    return [route for route in ROUTES if not route.name.startswith(ELSEWHERE)]


def test_every_route_has_a_rule() -> None:
    without = [found.name or str(found.view) for found in ROUTES if rule_of(found.view, found.name) is None]
    assert not without, f"make it with mien.web.rules.route, or give it a line in OF_PACKAGES: {without}"


def test_every_rule_of_packages_is_of_a_route() -> None:
    names = [found.name for found in ROUTES]
    unused = [
        key
        for key in OF_PACKAGES
        if not any(name.startswith(key[:-1]) if key.endswith("*") else name == key for name in names)
    ]
    assert set(unused) <= {"api-*"}, f"nothing is called so: {unused}"


@pytest.fixture
def address(ann, make_analysis):
    """A function from a route to an address; what it needs is made, and is ann's."""

    def of(found: Found) -> str:
        missing = [name for name in found.arguments if name not in SAMPLES]
        assert not missing, f"{found.name} has {missing} in its address: add a sample to SAMPLES"
        values = {name: SAMPLES[name](ann, make_analysis) for name in found.arguments}
        return reverse(found.name, kwargs=values)

    return of


def refused(response) -> bool:
    """Whether a visitor was sent to log in, told that they may not, or that there is nothing."""
    to_login = response.status_code == 302 and response["Location"].startswith(LOGIN)
    return to_login or response.status_code in (401, 403, 404)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("found", own(), ids=lambda found: found.name)
def test_the_rule_is_kept(
    found: Found, method: str, address, client_of, ann, bob, viewer, administrator
) -> None:
    rule = rule_of(found.view, found.name)
    who = {"anonymous": None, "owner": ann, "user": bob, "viewer": viewer, "administrator": administrator}
    allowed = {
        Rule.ANONYMOUS: {*who},
        Rule.API: {*who},
        Rule.USER: {*who} - {"anonymous"},
        Rule.OWNER: {"owner"},
        Rule.VIEWER: {"viewer", "administrator"},
        Rule.ADMINISTRATOR: {"administrator"},
    }[rule]
    for role, user in who.items():
        response = getattr(client_of(user), method)(address(found))
        assert response.status_code < 500
        if role not in allowed:
            assert refused(response), f"{found.name} lets {role} in"
        elif rule is not Rule.API:
            assert not refused(response), f"{found.name} refuses {role}: {response.status_code}"
        if rule is Rule.OWNER and role not in ("anonymous", "owner"):
            assert response.status_code == 404, f"{found.name} tells {role} that there is something"


@pytest.mark.parametrize("role", ["anonymous", "user"])
def test_the_database_viewer_is_for_viewers(role: str, client_of, ann) -> None:
    client = client_of(ann if role == "user" else None)
    for found in ROUTES:
        if found.name.startswith("admin:") and found.name not in ("admin:login",):
            try:
                place = reverse(found.name, kwargs=dict.fromkeys(found.arguments, "1"))
            except NoReverseMatch:
                continue
            assert refused(client.get(place)), found.name


def test_a_route_without_a_rule_is_refused(client_of, administrator, settings) -> None:
    settings.ROOT_URLCONF = "urls_without_rule"
    assert client_of(administrator).get("/open/").status_code == 403


def test_whoever_logs_in_goes_on_where_they_wanted_to(client_of, db) -> None:
    response = client_of().get("/privacy/consent/?next=/x")
    assert response["Location"] == f"{LOGIN}?next=/privacy/consent/%3Fnext%3D/x"

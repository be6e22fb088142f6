"""Accounts: made, entered, guarded against guesses, left; all through the pages."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from web_support import PASSWORD

from mien.web.accounts.models import Token, User
from mien.web.analyses.models import Analysis

LOGIN = "/account/login/"
PROFILE = "/account/"
NEW_PASSWORD = "a louder harbour 8"
SESSION = django_settings.SESSION_COOKIE_NAME


def log_in(client: Client, login: str, password: str = PASSWORD, address: str = "192.0.2.1", **values: str):
    return client.post(LOGIN, {"login": login, "password": password, **values}, REMOTE_ADDR=address)


def is_in(client: Client) -> bool:
    return client.get(PROFILE).status_code == 200


def main_of(response) -> str:
    """What a page says, without what differs by form and moment."""
    text = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return re.sub(r'(name="csrfmiddlewaretoken" |)value="[^"]*"', "", text)


def test_a_visitor_makes_an_account_and_is_asked_for_consent(client, db) -> None:
    sent = {"username": "Eve", "email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    response = client.post("/account/signup/", sent)
    assert response["Location"] == "/privacy/consent/"
    assert User.objects.get().username == "eve"
    assert User.objects.get().role == "user"
    assert is_in(client)
    link = re.search(r"http://testserver(/account/confirm-email/\S+)", mail.outbox[-1].body)[1]
    assert "Does eve@example.org belong" in client.get(link).content.decode()
    client.post(link)
    assert User.objects.get().emailaddress_set.get().verified


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password1": "123", "password2": "123"}, "too short"),
        ({"password2": "another"}, "same password"),
        ({"username": "ann"}, "already exists"),
        ({"username": "a b"}, "valid username"),
        ({"username": "x" * 151}, "at most 150"),
        ({"email": "ann@example.org"}, "already registered"),
        ({"email": "nothing"}, "valid email"),
    ],
)
def test_what_cannot_be_an_account_is_refused(client, ann, change: dict[str, str], says: str) -> None:
    sent = {"username": "eve", "email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    response = client.post("/account/signup/", sent | change)
    assert response.status_code == 200
    assert says in response.content.decode()
    assert User.objects.count() == 1


def test_no_account_is_made_where_registration_is_closed(client, db, settings) -> None:
    from dataclasses import replace

    settings.MIEN = replace(settings.MIEN, registration=False)
    sent = {"username": "eve", "email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert "made by its administrator" in client.post("/account/signup/", sent).content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("login", ["ann", "ANN", "ann@example.org", "Ann@Example.org"])
def test_name_and_address_both_let_in(client, ann, login: str) -> None:
    assert log_in(client, login).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize("pair", [("ann", "nobody"), ("ann@example.org", "nobody@example.org")])
def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(client_of, ann, pair) -> None:
    answers = [log_in(client_of(), login, "wrong") for login in pair]
    assert [response.status_code for response in answers] == [200, 200]
    assert main_of(answers[0]) == main_of(answers[1])


@pytest.mark.parametrize("pair", [("ann", "nobody"), ("ann@example.org", "nobody@example.org")])
def test_they_cost_the_same_number_of_hashes(client_of, ann, pair, monkeypatch) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    made = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *values: made.append(1) or encode(*values))
    counts = []
    for login in pair:
        made.clear()
        log_in(client_of(), login, "wrong")
        counts.append(len(made))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("login", ["ann", "nobody"])
def test_guesses_lock_out_the_guesser_whether_the_account_exists_or_not(client_of, ann, login: str) -> None:
    statuses = [log_in(client_of(), login, f"wrong {n}").status_code for n in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]
    locked = log_in(client_of(), login)
    assert locked.status_code == 429
    assert locked["Retry-After"] == "900"


def test_the_owner_gets_in_from_elsewhere(client_of, ann) -> None:
    for n in range(12):
        log_in(client_of(), "ann", f"wrong {n}", "198.51.100.7")
    owner = client_of()
    assert log_in(owner, "ann", address="192.0.2.1").status_code == 302
    assert is_in(owner)
    assert log_in(client_of(), "ann", address="198.51.100.7").status_code == 429


def test_name_and_address_are_one_account_for_guesses(client_of, ann) -> None:
    called = ["ann", "ANN", "ann@example.org", "Ann@example.org", "ann", "ann@example.org"]
    assert [log_in(client_of(), login, "wrong").status_code for login in called][-2:] == [429, 429]


def test_others_at_the_same_address_are_not_locked_out(client_of, ann, bob) -> None:
    for n in range(6):
        log_in(client_of(), "ann", f"wrong {n}")
    assert log_in(client_of(), "bob").status_code == 302


def test_a_claimed_address_counts_for_nothing(client_of, ann) -> None:
    answers = [
        client_of().post(
            LOGIN,
            {"login": "ann", "password": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"},
        )
        for n in range(6)
    ]
    assert answers[-1].status_code == 429


def test_the_session_is_rotated_at_login_and_dead_at_logout(client, ann) -> None:
    client.get("/privacy/consent/?next=/x")
    client.session["before"] = True
    client.session.save()
    before = client.cookies.get(SESSION)
    log_in(client, "ann")
    inside = client.cookies[SESSION].value
    assert before is None or before.value != inside
    client.post("/account/logout/")
    thief = Client()
    thief.cookies[SESSION] = inside
    assert not is_in(thief)
    assert not is_in(client)


def test_a_planted_session_does_not_become_the_users(client_of, ann, bob) -> None:
    planted = client_of(bob)
    key = planted.cookies[SESSION].value
    victim = Client()
    victim.cookies[SESSION] = key
    victim.post("/account/logout/")
    log_in(victim, "ann")
    assert victim.cookies[SESSION].value != key
    assert not is_in(planted)


@pytest.mark.parametrize(
    "address",
    [
        *(LOGIN, "/account/logout/", "/account/signup/", "/account/password/change/", "/account/everywhere/"),
        *(
            "/account/tokens/",
            "/account/",
            "/privacy/consent/",
            "/privacy/delete/",
            "/privacy/data/withdraw/",
        ),
    ],
)
def test_nothing_changes_without_the_forms_secret(client_of, ann, address: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client_of(ann).cookies
    assert strict.post(address, {"agree": "yes", "password": PASSWORD}).status_code == 403
    assert User.objects.filter(pk=ann.pk).exists()


@pytest.mark.parametrize(
    "following", ["https://evil.example", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_log_in_and_out_lead_nowhere_else(client, ann, following: str) -> None:
    assert log_in(client, "ann", next=following)["Location"] == "/"
    assert client.post("/account/logout/", {"next": following})["Location"] == "/"


def test_log_in_leads_on_within_the_server(client, ann) -> None:
    assert log_in(client, "ann", next="/account/tokens/")["Location"] == "/account/tokens/"


def test_the_database_viewer_has_no_log_in_of_its_own(client, administrator) -> None:
    answer = client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    assert answer["Location"].startswith(LOGIN)
    assert not is_in(client)


def test_a_new_password_ends_the_other_sessions(client_of, ann) -> None:
    here, elsewhere = client_of(), client_of()
    log_in(here, "ann")
    log_in(elsewhere, "ann")
    sent = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    here.post("/account/password/change/", sent)
    assert is_in(here)
    assert not is_in(elsewhere)
    assert log_in(client_of(), "ann").status_code == 200
    assert log_in(client_of(), "ann", NEW_PASSWORD).status_code == 302
    assert "Your password has been changed" in mail.outbox[-1].body


def test_the_old_password_is_needed_for_a_new_one(client_of, ann) -> None:
    client = client_of(ann)
    sent = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post("/account/password/change/", sent).status_code == 200
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_a_forgotten_password_is_made_new_by_mail_once(client, ann) -> None:
    client.post("/account/password/reset/", {"email": "ann@example.org"})
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", mail.outbox[-1].body)[1]
    form = client.get(link)["Location"]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    ann.refresh_from_db()
    assert ann.check_password(NEW_PASSWORD)
    assert "used up" in Client().get(link, follow=True).content.decode()


def test_asking_for_a_new_password_does_not_tell_who_exists(client_of, ann) -> None:
    answers = []
    for address in ("ann@example.org", "nobody@example.org"):
        answers.append(client_of().post("/account/password/reset/", {"email": address}, follow=True))
    assert main_of(answers[0]) == main_of(answers[1])
    assert [message.to for message in mail.outbox] == [["ann@example.org"], ["nobody@example.org"]]


def test_mail_has_no_password_and_the_hosts_name_only(client, ann) -> None:
    client.post(
        "/account/password/reset/", {"email": "ann@example.org"}, headers={"X-Forwarded-Host": "evil.example"}
    )
    assert "evil.example" not in mail.outbox[-1].body
    assert PASSWORD not in mail.outbox[-1].body


def test_every_session_ends_at_once(client_of, ann, bob) -> None:
    clients = [client_of() for _ in range(3)]
    for client in clients:
        log_in(client, "ann")
    other = client_of()
    log_in(other, "bob")
    page = clients[0].get("/account/sessions/").content.decode()
    assert page.count("192.0.2.1") == 2 or page.count("192.0.2.1") == 3
    clients[0].post("/account/sessions/")
    assert [is_in(client) for client in clients] == [True, False, False]
    log_in(clients[1], "ann")
    clients[0].post("/account/everywhere/")
    assert [is_in(client) for client in clients] == [False, False, False]
    assert is_in(other)


def test_a_new_address_is_taken_once_it_is_confirmed(client_of, ann, bob) -> None:
    ann.emailaddress_set.create(email=ann.email, verified=True, primary=True)
    client = client_of()
    log_in(client, "ann")
    client.post("/account/email/", {"email": "new@example.org", "action_add": ""})
    ann.refresh_from_db()
    assert ann.email == "ann@example.org"
    link = re.search(r"http://testserver(/account/confirm-email/\S+)", mail.outbox[-1].body)[1]
    client.post(link)
    ann.refresh_from_db()
    assert ann.email == "new@example.org"


def test_the_profile_counts_what_is_ones_own(client_of, ann, bob, make_analysis) -> None:
    make_analysis(ann)
    for _ in range(3):
        make_analysis(bob)
    page = client_of(ann).get(PROFILE).content.decode()
    assert re.search(r"Pictures read</dt><dd>1<", page)
    assert re.search(r"Faces</dt><dd>1<", page)
    face = Analysis.objects.of(ann).get().faces.get()
    assert (face.emotion or "uncertain") in page


def test_preferences_are_kept_and_nothing_else_can_be_set(client_of, ann) -> None:
    sent = {
        "language": "ro",
        "theme": "dark",
        "keep_pictures": "on",
        "is_superuser": "on",
        "username": "root",
    }
    client_of(ann).post(PROFILE, sent)
    ann.refresh_from_db()
    assert (ann.language, ann.theme, ann.keep_pictures) == ("ro", "dark", True)
    assert (ann.username, ann.role) == ("ann", "user")
    response = client_of(ann).post(PROFILE, {"language": "xx", "theme": "none"})
    assert response.status_code == 200
    ann.refresh_from_db()
    assert ann.language == "ro"


def test_a_token_is_shown_once_and_revoked_by_its_owner_only(client_of, ann, bob) -> None:
    from mien.web.accounts import tokens

    client = client_of(ann)
    page = client.post("/account/tokens/", {"name": "<b>script</b>", "scopes": ["read"], "days": "30"})
    text = re.search(r"mien_[\w-]{43}", page.content.decode())[0]
    assert "no-store" in page["Cache-Control"]
    assert tokens.authenticate(text, "read").owner == ann
    assert Token.objects.get().expires is not None
    again = client.get("/account/tokens/").content.decode()
    assert text not in again
    assert "&lt;b&gt;script" in again
    place = f"/account/tokens/{Token.objects.get().uid}/revoke/"
    assert client_of(bob).post(place).status_code == 404
    assert client.get(place).status_code == 302
    assert tokens.authenticate(text) is not None
    client.post(place)
    assert tokens.authenticate(text) is None


@pytest.mark.parametrize(
    "sent", [{}, {"name": "x"}, {"name": "x", "scopes": ["all"]}, {"name": "x" * 61, "scopes": ["read"]}]
)
def test_a_token_without_name_or_scope_is_not_made(client_of, ann, sent) -> None:
    assert client_of(ann).post("/account/tokens/", sent).status_code == 200
    assert not Token.objects.exists()


@pytest.mark.parametrize("value", ["\0", "x\0y", "\ud800", "x" * 100_000, "' OR 1=1 --", "%00", "ünïcödé"])
@pytest.mark.parametrize("field", ["login", "password"])
def test_hostile_log_ins_are_only_wrong(client, ann, field: str, value: str) -> None:
    sent = {"login": "ann", "password": "wrong"} | {field: value.encode("utf-8", "replace").decode()}
    assert client.post(LOGIN, sent).status_code in (200, 400)


def test_mail_is_written_in_the_readers_language(client, ann) -> None:
    client.post("/account/password/reset/", {"email": "ann@example.org"}, headers={"Accept-Language": "vi"})
    assert mail.outbox[-1].subject == "Mien: Thư đặt lại mật khẩu"
    assert "Mở liên kết dưới đây" in mail.outbox[-1].body
    assert "Mien, tại testserver" in mail.outbox[-1].body


@pytest.fixture
def _confirmed_addresses_only(settings) -> None:
    """As with MIEN_CONFIRM_EMAIL."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


@pytest.mark.usefixtures("_confirmed_addresses_only")
def test_a_new_account_opens_once_its_address_is_confirmed(client, db) -> None:
    sent = {"username": "eve", "email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/account/signup/", sent)["Location"] == "/account/confirm-email/"
    assert not is_in(client)
    assert log_in(client, "eve")["Location"] == "/account/confirm-email/"
    assert not is_in(client)
    link = re.search(r"http://testserver(/account/confirm-email/\S+)", mail.outbox[0].body)[1]
    client.post(link)
    log_in(client, "eve")
    assert is_in(client)


@pytest.mark.usefixtures("_confirmed_addresses_only")
def test_there_nobody_learns_by_signing_up_who_has_an_account(client_of, ann) -> None:
    answers = []
    for address in ("ann@example.org", "new@example.org"):
        sent = {
            "username": f"eve{len(answers)}",
            "email": address,
            "password1": PASSWORD,
            "password2": PASSWORD,
        }
        answers.append(client_of().post("/account/signup/", sent, follow=True))
    assert answers[0].redirect_chain == answers[1].redirect_chain
    assert main_of(answers[0]).replace("ann@", "new@") == main_of(answers[1])
    assert not User.objects.filter(username="eve0").exists()

"""Consent, retention, "download my data" and "delete my account": rows and files, to the last."""

from __future__ import annotations

import asyncio
import datetime
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from web_support import PASSWORD

from mien.testing import picture as make_picture
from mien.web.accounts import tokens
from mien.web.accounts.models import Token, User
from mien.web.analyses import pictures
from mien.web.analyses.models import AnalysedFace, Analysis, Batch, Tag
from mien.web.privacy import at_start, consent, holdings, models, removal
from mien.web.privacy.models import Consent

DAY = datetime.timedelta(days=1)


@pytest.fixture
def keep_picture(settings):
    """A function that puts a kept picture beside an analysis, and returns its file."""

    def keep(analysis: Analysis) -> Path:
        with pictures.kept_with(make_picture()) as kept:
            picture = kept(analysis)
        return Path(settings.MEDIA_ROOT, picture.file.name)

    return keep


def log_in(name: str) -> Client:
    client = Client()
    client.post("/account/login/", {"login": name, "password": PASSWORD})
    return client


# -- consent


def test_consent_is_recorded_with_version_and_time(client_of, make_user) -> None:
    user = make_user("new", agreed=False)
    before = timezone.now()
    client_of(user).post("/privacy/consent/", {"agree": "yes"})
    given = Consent.objects.get(user=user)
    assert given.version == models.NOTICE_VERSION
    assert before <= given.given <= timezone.now()


@pytest.mark.parametrize("sent", [{}, {"agree": ""}, {"agree": "no"}, {"agree": "1"}])
def test_nothing_but_yes_is_consent(client_of, make_user, sent) -> None:
    user = make_user("new", agreed=False)
    client_of(user).post("/privacy/consent/", sent)
    assert not consent.has_consented(user)


def test_a_new_version_asks_again_and_says_why(client_of, ann, monkeypatch) -> None:
    from mien.web.privacy import consent as room
    from mien.web.privacy import views

    for module in (room, views):
        monkeypatch.setattr(module, "NOTICE_VERSION", "2099-01")
    assert not consent.has_consented(ann)
    client = client_of(ann)
    assert "has changed since you agreed" in client.get("/privacy/consent/").content.decode()
    client.post("/privacy/consent/", {"agree": "yes"})
    assert consent.has_consented(ann)
    assert set(Consent.objects.filter(user=ann).values_list("version", flat=True)) == {"2099-01", "2026-11"}


def test_withdrawn_consent_is_recorded_and_asked_for_again(client_of, ann) -> None:
    client = client_of(ann)
    client.post("/privacy/data/withdraw/")
    assert not consent.has_consented(ann)
    assert Consent.objects.get(user=ann).withdrawn is not None
    assert "Nothing is analysed for you" in client.get("/privacy/data/").content.decode()
    client.post("/privacy/consent/", {"agree": "yes"})
    assert consent.has_consented(ann)
    assert Consent.objects.filter(user=ann).count() == 2


def test_nothing_is_analysed_without_consent(client_of, make_user) -> None:
    from web_support import routes

    from mien.web.rules import Rule

    asked = [found for found in routes() if getattr(found.view, "mien_consent", False)]
    client = client_of(make_user("new", agreed=False))
    from django.urls import reverse

    for found in asked:
        if not found.arguments:
            answer = client.post(reverse(found.name))
            assert answer.status_code in (302, 403), found.name
            assert Rule(found.view.mien_rule)
    assert not Analysis.objects.exists()


def test_consent_leads_on_within_the_server_only(client_of, make_user) -> None:
    client = client_of(make_user("new", agreed=False))
    answer = client.post("/privacy/consent/", {"agree": "yes", "next": "https://evil.example"})
    assert answer["Location"] == "/"


def test_the_operator_sees_the_notice_once(db) -> None:
    said: list[str] = []
    at_start.show_notice(said.append)
    assert "Article 5(1)(f)" in " ".join(said)
    assert "not an inner state" in " ".join(said)
    assert consent.has_consented(None)
    count = len(said)
    at_start.show_notice(said.append)
    assert len(said) == count


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "An expression is not an inner state"),
        ("vi", "Điều 5(1)(f)"),
        ("ro", "articolul 5 alineatul (1) litera (f)"),
    ],
)
def test_the_notice_is_there_for_everyone(client, db, language: str, says: str) -> None:
    page = client.get("/privacy/", headers={"Accept-Language": language}).content.decode()
    assert says in page or says.capitalize() in page
    assert "5" in page


# -- download my data


def unpacked(response) -> tuple[dict[str, list], zipfile.ZipFile]:
    packed = zipfile.ZipFile(io.BytesIO(response.content))
    return json.loads(packed.read("data.json")), packed


def test_the_download_has_every_row_and_picture_of_the_user_and_no_others(
    client_of, ann, bob, make_analysis, keep_picture
) -> None:
    batch = Batch.objects.create(owner=ann, title="holiday", total=1)
    mine = make_analysis(ann, batch=batch, name="me.jpg")
    mine.tags.add(Tag.objects.create(owner=ann, name="sea"))
    file = keep_picture(mine)
    other = make_analysis(bob, name="bob.jpg")
    keep_picture(other)
    _token, text = tokens.make(ann, "script", ["read"])
    response = log_in("ann").post("/privacy/data/download/")
    assert response["Content-Type"] == "application/zip"
    assert response["Cache-Control"] == "no-store"
    data, packed = unpacked(response)
    assert [row["username"] for row in data["accounts.user"]] == ["ann"]
    assert [row["name"] for row in data["analyses.analysis"]] == ["me.jpg"]
    assert data["analyses.analysis"][0]["tags"] == ["sea"]
    assert len(data["analyses.analysedface"]) == mine.face_count
    assert [row["title"] for row in data["analyses.batch"]] == ["holiday"]
    assert data["privacy.consent"][0]["version"] == models.NOTICE_VERSION
    assert data["usersessions.usersession"]
    kept = data["analyses.picture"][0]["file"]
    assert packed.read(f"pictures/{kept}") == file.read_bytes()
    assert len(packed.namelist()) == 2
    everything = packed.read("data.json").decode()
    for secret in (
        text,
        tokens.digest_of(text),
        ann.password,
        *Session.objects.values_list("session_key", flat=True),
    ):
        assert secret not in everything
    assert "bob" not in everything


def test_every_model_that_knows_a_user_is_in_it(ann) -> None:
    kinds = {kind for kind, _rows in holdings.queries(ann)}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.related_model is User:
                assert model._meta.label_lower in kinds


def test_a_large_download_comes_in_pieces(ann, make_analysis, keep_picture, monkeypatch) -> None:
    from mien.web import streaming

    keep_picture(make_analysis(ann))
    monkeypatch.setattr(streaming, "IN_MEMORY", 0)
    monkeypatch.setattr(streaming, "_PIECE", 100)
    response = streaming.file_response(holdings.pack(ann), "x.zip", "application/zip")

    async def read() -> bytes:
        return b"".join([piece async for piece in response])

    content = asyncio.run(read())
    assert len(content) == int(response["Content-Length"])
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None


def test_a_picture_that_is_gone_does_not_stop_the_download(ann, make_analysis, keep_picture) -> None:
    keep_picture(make_analysis(ann)).unlink()
    with holdings.pack(ann) as file:
        assert zipfile.ZipFile(file).namelist() == ["data.json"]


# -- delete my account


def test_an_account_is_deleted_with_everything(
    ann, bob, make_analysis, keep_picture, settings, django_capture_on_commit_callbacks
) -> None:
    file, others = keep_picture(make_analysis(ann)), keep_picture(make_analysis(bob))
    tokens.make(ann, "script", ["read"])
    ann.emailaddress_set.create(email=ann.email, verified=True, primary=True)
    client, elsewhere = log_in("ann"), log_in("ann")
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/privacy/delete/", {"password": PASSWORD})
    assert answer["Location"] == "/"
    assert not file.exists()
    assert others.exists()
    assert list(User.objects.values_list("username", flat=True)) == ["bob"]
    for model in (Analysis, AnalysedFace, Consent):
        assert {row.owner_id if hasattr(row, "owner_id") else row.user_id for row in model.objects.all()} == {
            bob.pk
        }
    assert not Token.objects.exists()
    assert elsewhere.get("/account/").status_code == 302
    name = django_settings.SESSION_COOKIE_NAME
    assert not Session.objects.filter(session_key=elsewhere.cookies[name].value).exists()
    for model in apps.get_models():
        texts = str(list(model._base_manager.values()))
        assert "ann@example.org" not in texts, model
        assert "'ann'" not in texts, model
    assert client.post("/account/login/", {"login": "ann", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("password", ["", "wrong", "\0"])
def test_without_the_password_nothing_is_deleted(client_of, ann, password: str) -> None:
    assert client_of(ann).post("/privacy/delete/", {"password": password}).status_code == 200
    assert User.objects.filter(pk=ann.pk).exists()


def test_guesses_at_the_password_are_locked_out_there_too(ann) -> None:
    client = log_in("ann")
    statuses = [client.post("/privacy/delete/", {"password": f"wrong {n}"}).status_code for n in range(6)]
    assert statuses[-1] == 429
    assert client.post("/privacy/delete/", {"password": PASSWORD}).status_code == 429
    assert User.objects.filter(pk=ann.pk).exists()


def test_a_deletion_that_fails_takes_nothing(ann, make_analysis, keep_picture, monkeypatch) -> None:
    file = keep_picture(make_analysis(ann))

    def fail(*_values: object, **_named: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(User, "delete", fail)
    with pytest.raises(RuntimeError):
        removal.delete_account(ann)
    assert file.exists()
    assert AnalysedFace.objects.filter(owner=ann).exists()


# -- retention


@pytest.fixture
def aged(make_analysis):
    """A function that makes an analysis of some days ago."""

    def make(owner, days: float, **values) -> Analysis:
        analysis = make_analysis(owner, **values)
        Analysis.objects.filter(pk=analysis.pk).update(created=timezone.now() - days * DAY)
        return analysis

    return make


def test_what_is_old_is_purged_with_its_files(
    ann, bob, aged, keep_picture, capsys, django_capture_on_commit_callbacks, monkeypatch
) -> None:
    monkeypatch.setattr(removal, "_CHUNK", 2)
    old = [aged(ann, 31), aged(bob, 400), aged(ann, 30.1)]
    young = aged(ann, 29.9)
    files = [keep_picture(analysis) for analysis in old]
    kept = keep_picture(young)
    call_command("purge", "--days", "30", "--dry-run")
    assert "3 analyses older than 30 days would be deleted" in capsys.readouterr().out
    assert Analysis.objects.count() == 4
    with django_capture_on_commit_callbacks(execute=True):
        call_command("purge", "--days", "30")
    assert "3 analyses older than 30 days deleted" in capsys.readouterr().out
    assert list(Analysis.objects.values_list("pk", flat=True)) == [young.pk]
    assert set(AnalysedFace.objects.values_list("analysis", flat=True)) == {young.pk}
    assert not any(file.exists() for file in files)
    assert kept.exists()


def test_batches_go_with_their_last_analysis(ann, aged) -> None:
    batches = [Batch.objects.create(owner=ann, title=name) for name in ("old", "half", "young")]
    Batch.objects.exclude(title="young").update(created=timezone.now() - 90 * DAY)
    aged(ann, 90, batch=batches[0])
    aged(ann, 90, batch=batches[1])
    aged(ann, 1, batch=batches[1])
    removal.purge(30)
    assert set(Batch.objects.values_list("title", flat=True)) == {"half", "young"}


def test_without_a_retention_nothing_is_purged(ann, aged, capsys, settings) -> None:
    aged(ann, 3000)
    call_command("purge")
    assert "until they are deleted by hand" in capsys.readouterr().out
    assert at_start.delete_what_is_old() == 0
    assert Analysis.objects.count() == 1
    settings.MIEN = replace(settings.MIEN, retention_days=30)
    assert at_start.delete_what_is_old() == 1


@pytest.mark.parametrize("days", ["-1", "99999999999"])
def test_impossible_days_are_refused(db, days: str) -> None:
    with pytest.raises(CommandError, match="--days has to be"):
        call_command("purge", "--days", days)


def test_the_notice_says_how_long_results_are_kept(client, db, settings) -> None:
    settings.MIEN = replace(settings.MIEN, retention_days=30, keep_pictures=False)
    page = client.get("/privacy/").content.decode()
    assert "for 30 days at most" in page
    assert "never kept" in page


# -- logs


def test_logs_hold_no_secrets(client_of, ann, caplog) -> None:
    caplog.set_level("DEBUG")
    client = client_of()
    client.post("/account/login/", {"login": "ann", "password": "a wrong secret"})
    client.post("/account/login/", {"login": "ann", "password": PASSWORD})
    _token, text = tokens.make(ann, "script", ["read"])
    tokens.authenticate(text)
    own = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("mien", "axes", "allauth"))
    )
    for secret in (
        PASSWORD,
        "a wrong secret",
        text,
        client.cookies[django_settings.SESSION_COOKIE_NAME].value,
    ):
        assert secret not in own

"""The database viewer: who reads it, that nobody changes it, what it exports, and what it never shows."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pytest
from browser_support import faults, scrolls_sideways
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mien.web.accounts import tokens
from mien.web.accounts.models import Token, User
from mien.web.analyses.models import AnalysedFace, Analysis
from mien.web.privacy.models import Consent

OF_ADMINISTRATORS = {"mfa", "usersessions", "axes", "account"}
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
SHOWN = [model for model in MODELS if model._meta.app_label not in OF_ADMINISTRATORS]
FORMATS = {"csv": 0, "json": 1, "xlsx": 2, "html": 3}


def place(model, page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


@pytest.fixture
def filled(ann, bob, make_analysis):
    """Something in every table."""
    for owner in (ann, bob):
        make_analysis(owner)
    tokens.make(ann, "laptop", ["read"])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_each_page_is_for_whom_it_is_for(model, client_of, filled, ann, viewer, administrator) -> None:
    row = model.objects.first()
    pages = [place(model, "changelist"), *([place(model, "change", row.pk)] if row else [])]
    if hasattr(admin.site._registry[model], "export_action"):
        pages.append(place(model, "export"))
    reads = {"viewer": model in SHOWN, "administrator": True}
    for page in pages:
        assert client_of().get(page)["Location"].startswith("/account/login/")
        assert client_of(ann).get(page).status_code == 403
        for name, user in (("viewer", viewer), ("administrator", administrator)):
            assert client_of(user).get(page).status_code == (200 if reads[name] else 403), (name, page)


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_nobody_makes_or_deletes_rows_and_viewers_change_none(
    model, client_of, filled, viewer, administrator
) -> None:
    row, count = model.objects.first(), model.objects.count()
    for user in (viewer, administrator):
        client = client_of(user)
        assert client.post(place(model, "add"), {}).status_code == 403
        assert client.post(place(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        client.post(place(model, "changelist"), chosen)
    assert client_of(viewer).post(place(model, "change", row.pk), {"is_superuser": "on"}).status_code == 403
    assert model.objects.count() == count


def test_administrators_give_roles_but_not_to_themselves(client_of, ann, administrator) -> None:
    client = client_of(administrator)
    client.post(place(User, "change", ann.pk), {"is_active": "on", "is_staff": "on", "username": "eve"})
    ann.refresh_from_db()
    assert (ann.role, ann.username) == ("viewer", "ann")
    assert client.post(place(User, "change", administrator.pk), {}).status_code == 403
    administrator.refresh_from_db()
    assert administrator.is_administrator


def export(client, model, kind: str, query: str = ""):
    response = client.post(place(model, "export") + query, {"format": FORMATS[kind], "resource": 0})
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"], response.content[:500]
    return response


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_table_is_exported_in_every_format(model, kind: str, client_of, filled, viewer) -> None:
    response = export(client_of(viewer), model, kind)
    rows = model.objects.count()
    content = response.content
    if kind == "csv":
        assert len(list(csv.reader(io.StringIO(content.decode())))) == rows + 1
    elif kind == "json":
        assert len(json.loads(content)) == rows
    elif kind == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(content)).active.max_row == rows + 1
    else:
        page = content.decode()
        assert page.count("<tr>") == rows + 1
        assert "src=" not in page
        assert "href=" not in page
        assert "<script" not in page


def test_files_hold_what_search_and_filters_leave(client_of, filled, viewer) -> None:
    found = json.loads(export(client_of(viewer), Analysis, "json", "?q=bob").content)
    assert [row["owner__username"] for row in found] == ["bob"]


def test_no_cell_is_run_as_a_formula_or_as_a_page(client_of, ann, viewer, make_analysis) -> None:
    make_analysis(ann, name='=HYPERLINK("x")')
    make_analysis(ann, name="<script>alert(1)</script>")
    client = client_of(viewer)
    cells = [
        cell
        for row in csv.reader(io.StringIO(export(client, Analysis, "csv").content.decode()))
        for cell in row
    ]
    assert '\'=HYPERLINK("x")' in cells
    sheet = openpyxl.load_workbook(io.BytesIO(export(client, Analysis, "xlsx").content)).active
    assert not [cell for row in sheet.rows for cell in row if cell.data_type == "f"]
    assert b"<script" not in export(client, Analysis, "html").content


def test_too_many_rows_are_refused_with_what_to_do(client_of, filled, viewer, monkeypatch) -> None:
    monkeypatch.setattr("mien.web.viewer.admin.MOST_ROWS", 1)
    response = client_of(viewer).post(place(Analysis, "export"), {"format": 0, "resource": 0})
    assert "more than 1 rows; filter them first" in response.content.decode()
    export(client_of(viewer), Analysis, "csv", "?q=ann")


def test_no_secret_is_shown_or_exported_or_logged(client_of, filled, ann, administrator, viewer) -> None:
    token, text = tokens.make(ann, "phone", ["read"])
    ann.set_password("a new quiet harbour 8")
    ann.save()
    secrets = [text, token.digest, ann.password]
    for user in (viewer, administrator):
        client = client_of(user)
        for model in SHOWN:
            pages = [client.get(place(model, "changelist"))]
            pages += [client.get(place(model, "change", row.pk)) for row in model.objects.all()[:20]]
            pages += [export(client, model, "json")]
            for page in pages:
                assert not [secret for secret in secrets if secret in page.content.decode()], model


def test_changes_of_accounts_and_tokens_are_logged_with_who_made_them(
    client_of, ann, viewer, administrator
) -> None:
    client_of(administrator).post(place(User, "change", ann.pk), {"is_active": "on", "is_staff": "on"})
    rows = json.loads(export(client_of(viewer), _log(), "json", "?q=ada").content)
    assert any(row["actor__username"] == "ada" and "is_staff" in str(row["changes"]) for row in rows)


def _log():
    from auditlog.models import LogEntry

    return LogEntry


@pytest.mark.parametrize(
    "model", [User, Analysis, AnalysedFace, Token, Consent], ids=lambda model: model.__name__
)
def test_a_list_asks_as_often_for_many_rows_as_for_few(
    model, client_of, viewer, ann, make_user, make_analysis
) -> None:
    client = client_of(viewer)
    counts = []
    for number in range(3):
        user = make_user(f"user{number}")
        make_analysis(user)
        tokens.make(user, "laptop", ["read"])
        with CaptureQueriesContext(connection) as asked:
            assert client.get(place(model, "changelist")).status_code == 200
        counts.append(len(asked))
    assert counts[1] == counts[2] <= 14


def test_lists_show_no_pictures(client_of, filled, viewer) -> None:
    for model in SHOWN:
        page = client_of(viewer).get(place(model, "changelist")).content.decode()
        assert "<img" not in page.partition('id="content"')[2].replace('<img src="/static/admin/', "")


def test_logging_in_is_on_miens_own_page(client_of, viewer) -> None:
    response = client_of().get("/admin/login/?next=/admin/")
    assert response["Location"].startswith("/account/login/?next=")
    assert client_of(viewer).get("/admin/login/?next=//evil.example/")["Location"] == "/"
    assert client_of(viewer).get("/admin/password_change/")["Location"] == "/account/password/change/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_have_no_serious_fault(browse, filled, viewer, ann, width: int, scheme: str) -> None:
    page = browse(viewer, width=width, scheme=scheme)
    face = AnalysedFace.objects.first()
    for address in (
        "/admin/",
        place(AnalysedFace, "changelist"),
        place(Analysis, "changelist"),
        place(AnalysedFace, "change", face.pk),
        place(Analysis, "export"),
    ):
        page.goto(address)
        assert not scrolls_sideways(page), address
        assert not faults(page), address

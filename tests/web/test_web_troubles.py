"""No time or no room in the database: said as what it is, and nothing is half done."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from server_support import Visitor, mien, serving
from web_support import PASSWORD

from mien.core.errors import OutputError
from mien.web.error_pages import trouble
from mien.web.privacy.models import Consent


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("database is locked"), 503),
        (OperationalError("connection to server failed: FATAL: sorry, too many clients already"), 503),
        (InterfaceError("connection already closed"), 503),
        (OperationalError("database or disk is full"), 507),
        (DatabaseError('could not extend file "base/1": No space left on device'), 507),
        (OSError(errno.ENOSPC, "No space left on device"), 507),
        (caused(OutputError("cannot be written"), OSError(errno.EDQUOT, "quota")), 507),
        (OSError(errno.EACCES, "no"), 500),
        (OperationalError("no such table: x"), 500),
        (ValueError("database is locked"), 500),
        (None, 500),
    ],
    ids=repr,
)
def test_every_trouble_has_its_status(error: Exception | None, status: int) -> None:
    assert trouble(error) == status


def fill() -> None:
    """Use up what is free within the pages."""
    while True:
        Consent.objects.create(user=None, version="x")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="needs sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_full_database_is_said_and_nothing_is_half_done(make_user, client_of) -> None:
    user = make_user("new", agreed=False)
    client = client_of(user)
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        pages, most = (
            cursor.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "max_page_count")
        )
        cursor.execute(f"pragma max_page_count = {pages}")
        try:
            with pytest.raises(OperationalError, match="full"):
                fill()
            kept = Consent.objects.count()
            answer = client.post("/privacy/consent/", {"agree": "yes"})
        finally:
            cursor.execute(f"pragma max_page_count = {most}")
    assert answer.status_code == 507
    assert "disk is full" in answer.content.decode()
    assert Consent.objects.count() == kept
    assert client.post("/privacy/consent/", {"agree": "yes"}).status_code == 302


def test_a_locked_database_is_said_and_the_server_goes_on(tmp_path: Path) -> None:
    assert mien(tmp_path, "user", "create", "ada", text=PASSWORD + "\n").returncode == 0
    with serving(tmp_path, MIEN_DATABASE_WAIT_SECONDS="1") as server:
        visitor = Visitor(server)
        assert visitor.log_in("ada", PASSWORD).url == f"{server.address}/"
        with closing(sqlite3.connect(tmp_path / "web" / "mien.sqlite3", isolation_level=None)) as other:
            other.execute("begin immediate")
            refusal = visitor.send("/privacy/consent/", agree="yes")
            assert (refusal.status, refusal.headers["Retry-After"]) == (503, "5")
            assert server.get("/privacy/") == 200  # reading goes on
            other.execute("rollback")
        assert visitor.send("/privacy/consent/", agree="yes").url == f"{server.address}/"

"""The product on a real PostgreSQL: tables made once by several servers at once, sessions for all of them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from postgres_support import cluster, programs
from server_support import mien, serving


@pytest.fixture(scope="module")
def database():
    if programs() is None:
        pytest.skip("needs postgresql")
    with cluster() as address:
        yield address


def test_several_servers_start_at_once_on_an_empty_database(database: str, tmp_path: Path) -> None:
    results: list[object] = []

    def start(place: Path) -> None:
        with serving(place, "--workers", "2", DATABASE_URL=database) as server:
            results.append([server.get() for _ in range(4)])

    threads = [threading.Thread(target=start, args=(tmp_path / str(number),)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[200] * 4] * 2


def test_accounts_are_made_there(database: str, tmp_path: Path) -> None:
    made = mien(
        tmp_path, "user", "create", "ada", "--admin", text="a quiet harbour 7\n", DATABASE_URL=database
    )
    assert made.returncode == 0, made.stderr
    assert mien(tmp_path, "user", "list", DATABASE_URL=database).stdout.startswith("ada\tadministrator")
    assert not (tmp_path / "web" / "mien.sqlite3").exists()


def test_no_migration_is_missing_there(database: str, tmp_path: Path) -> None:
    done = mien(tmp_path, "manage", "makemigrations", "--check", "--dry-run", DATABASE_URL=database)
    assert done.returncode == 0, done.stdout


def test_a_database_that_does_not_answer_is_said_in_one_sentence(database: str, tmp_path: Path) -> None:
    ended = mien(tmp_path, "serve", "--port", "0", DATABASE_URL=database.replace("mien-pg-", "mien-none-"))
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr

"""`mien backup` and `mien restore`: everything comes back, or nothing is touched."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from server_support import mien, serving

from mien.core.errors import MienError, OptionError, OutputError
from mien.web.backup import back_up, restore
from mien.web.locks import lock
from mien.web.settings_table import WebSettings

PASSWORD = "a quiet harbour 7\n"


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a user and two pictures."""
    folder = tmp_path_factory.mktemp("used")
    assert mien(folder, "user", "create", "ada", text=PASSWORD).returncode == 0
    for name in ("ab/ab01.jpg", "cd/cd02.jpg"):
        path = folder / "web" / "pictures" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode() * 1000)
    return folder


@pytest.fixture
def data(used: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used, tmp_path / "data"))


@pytest.fixture
def saved(data: Path, tmp_path: Path) -> Path:
    back_up(WebSettings(data=str(data)), tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def users(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "web" / "mien.sqlite3")) as database:
        return [name for (name,) in database.execute("select username from accounts_user order by 1")]


def content(folder: Path) -> dict[str, str]:
    """Digests of what matters, so that a change shows."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-shm", "-wal"))
    }


def test_everything_comes_back_in_another_place(data: Path, saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    ended = mien(other, "restore", str(saved))
    assert (ended.returncode, "2 pictures" in ended.stderr) == (0, True), ended.stderr
    assert users(other) == ["ada"]
    kept = {
        name: digest for name, digest in content(data / "web").items() if name.startswith(("pict", "secret"))
    }
    assert kept.items() <= content(other / "web").items()
    for private in (other / "web" / "mien.sqlite3", other / "web" / "secret_key"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_backup_is_made_while_the_server_runs_and_restored_only_when_it_does_not(data: Path) -> None:
    target = data / "b.zip"
    with serving(data):
        assert mien(data, "backup", str(target)).returncode == 0
        ended = mien(data, "restore", "--replace", str(target))
        assert (ended.returncode, "stop it first" in ended.stderr) == (3, True)
    assert mien(data, "restore", "--replace", str(target)).returncode == 0


def test_what_is_there_is_given_up_only_when_told(data: Path, saved: Path) -> None:
    with closing(sqlite3.connect(data / "web" / "mien.sqlite3")) as database, database:
        database.execute("update accounts_user set username = 'later'")
    (data / "web" / "pictures" / "later.jpg").write_bytes(b"later")
    settings = WebSettings(data=str(data))
    with pytest.raises(OptionError, match="--replace"):
        restore(settings, saved)
    assert users(data) == ["later"]
    assert restore(settings, saved, replace=True).pictures == 2
    assert users(data) == ["ada"]
    assert not (data / "web" / "pictures" / "later.jpg").exists()
    assert not list((data / "web").glob(".backup-*"))


def test_what_a_killed_backup_left_goes_with_the_next(data: Path, tmp_path: Path) -> None:
    left = data / "web" / ".backup-0123"
    left.mkdir()
    (left / "mien.sqlite3").write_bytes(b"someone's data")
    back_up(WebSettings(data=str(data)), tmp_path / "b.zip")
    assert not left.exists()


def test_a_damaged_database_and_its_journal_make_room(data: Path, saved: Path) -> None:
    database = data / "web" / "mien.sqlite3"
    database.write_bytes(b"damaged" * 1000)
    database.with_name("mien.sqlite3-wal").write_bytes(b"journal of another" * 1000)
    restore(WebSettings(data=str(data)), saved, replace=True)
    assert users(data) == ["ada"]


def test_a_journal_is_not_taken_for_one_of_the_new_database(data: Path, saved: Path) -> None:
    """As a server that was killed leaves it."""
    database = data / "web" / "mien.sqlite3"
    with closing(sqlite3.connect(database)) as server:
        server.execute("pragma journal_mode=wal")
        server.execute("update accounts_user set username = 'late'")
        server.commit()
        journal = {
            suffix: database.with_name(database.name + suffix).read_bytes() for suffix in ("-wal", "-shm")
        }
        whole = database.read_bytes()
    database.write_bytes(whole)
    for suffix, content in journal.items():
        database.with_name(database.name + suffix).write_bytes(content)
    assert users(data) == ["late"]
    restore(WebSettings(data=str(data)), saved, replace=True)
    assert users(data) == ["ada"]


def test_a_write_that_was_answered_is_in_the_backup(data: Path, tmp_path: Path) -> None:
    """Also one that is in the journal only, as the server leaves it."""
    with closing(sqlite3.connect(data / "web" / "mien.sqlite3")) as server:
        server.execute("pragma journal_mode=wal")
        server.execute("update accounts_user set username = 'written'")
        server.commit()
        back_up(WebSettings(data=str(data)), tmp_path / "b.zip")
    other = WebSettings(data=str(tmp_path / "other"))
    other.folder.mkdir(parents=True)
    restore(other, tmp_path / "b.zip")
    assert users(tmp_path / "other") == ["written"]


def rewritten(source: Path, target: Path, **changes: object) -> Path:
    """A copy of a backup with other entries; `manifest` changes what it says about itself."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        entries = {name: old.read(name) for name in manifest["files"]}
        entries |= changes.get("entries", {})
        manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in entries.items()}
        manifest |= changes.get("manifest", {})
        for name, data in entries.items():
            if name not in changes.get("without", ()):
                new.writestr(name, data)
        new.writestr("manifest.json", json.dumps(manifest))
    return target


def newer(source: Path, folder: Path) -> Path:
    """A backup whose database another version changed."""
    with zipfile.ZipFile(source) as old:
        (folder / "db").write_bytes(old.read("mien.sqlite3"))
    with closing(sqlite3.connect(folder / "db")) as database, database:
        database.execute("pragma journal_mode=delete")
        database.execute(
            "insert into django_migrations (app, name, applied) values ('analyses', '0999', '2030')"
        )
    return rewritten(source, folder / "new.zip", entries={"mien.sqlite3": (folder / "db").read_bytes()})


def cut(source: Path, folder: Path) -> Path:
    target = folder / "cut.zip"
    target.write_bytes(source.read_bytes()[:-2000])
    return target


def turned(source: Path, folder: Path) -> Path:
    """One bit of a picture is another."""
    target = folder / "turned.zip"
    with zipfile.ZipFile(source) as packed:
        place = packed.getinfo("pictures/ab/ab01.jpg").header_offset + 90
    data = bytearray(source.read_bytes())
    data[place] ^= 1
    target.write_bytes(data)
    return target


WRONG = {
    "cut off": cut,
    "damaged": turned,
    "newer": newer,
    "no file": lambda source, folder: folder / "none.zip",
    "a folder": lambda source, folder: folder,
    "empty": lambda source, folder: Path(shutil.copy("/dev/null", folder / "e.zip")),
    "other format": lambda s, f: rewritten(s, f / "x.zip", manifest={"format": "other"}),
    "no files": lambda s, f: rewritten(s, f / "x.zip", manifest={"files": {}}),
    "files are a list": lambda s, f: rewritten(s, f / "x.zip", manifest={"files": ["a"]}),
    "missing": lambda s, f: rewritten(s, f / "x.zip", without=["pictures/cd/cd02.jpg"]),
    "climbs out": lambda s, f: rewritten(s, f / "x.zip", entries={"pictures/../../../evil": b"x"}),
    "absolute": lambda s, f: rewritten(s, f / "x.zip", entries={"/pictures/evil": b"x"}),
    "elsewhere": lambda s, f: rewritten(s, f / "x.zip", entries={"static/evil.js": b"x"}),
    "backslash": lambda s, f: rewritten(s, f / "x.zip", entries={"pictures/..\\evil": b"x"}),
    "no database": lambda s, f: rewritten(s, f / "x.zip", entries={"mien.sqlite3": b"not a database" * 100}),
    "empty database": lambda s, f: rewritten(s, f / "x.zip", entries={"mien.sqlite3": b""}),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_a_wrong_backup_touches_nothing(make, data: Path, saved: Path, tmp_path: Path) -> None:
    source = make(saved, tmp_path)
    before = content(data)
    with pytest.raises(MienError) as refusal:
        restore(WebSettings(data=str(data)), source, replace=True)
    assert isinstance(refusal.value, OptionError | OutputError)
    assert content(data) == before
    assert not list((data / "web").glob(".backup-*"))
    assert not list(tmp_path.rglob("evil*"))


def test_a_folder_that_is_in_use_is_left_alone(data: Path, saved: Path) -> None:
    with lock(data / "web", "serving", shared=True), pytest.raises(OutputError, match="stop it first"):
        restore(WebSettings(data=str(data)), saved, replace=True)


def test_postgresql_is_saved_by_its_own_tools(tmp_path: Path) -> None:
    settings = WebSettings(data=str(tmp_path), database_url="postgres://mien@localhost/mien")
    with pytest.raises(OptionError, match="pg_dump"):
        back_up(settings, tmp_path / "b.zip")


def test_a_place_that_cannot_be_written_is_said(data: Path) -> None:
    with pytest.raises(OutputError):
        back_up(WebSettings(data=str(data)), data / "no" / "such" / "b.zip")
    with pytest.raises(OptionError, match="nothing to back up"):
        back_up(WebSettings(data=str(data / "no")), data / "b.zip")

"""One file with everything that a server on SQLite keeps, and the way back.

A backup is a ZIP file: `manifest.json` (what it is, and the SHA-256 of every file), `mien.sqlite3`,
`secret_key`, and `pictures/`. It is made while the server runs; the database in it is of one moment.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from mien.core.errors import OptionError, OutputError
from mien.core.files import atomic_path, ensure_folder, refusal, shown
from mien.core.version import __version__
from mien.web.locks import lock
from mien.web.settings_table import WebSettings

_FORMAT = "mien-backup-1"
_DATABASE, _KEY, _PICTURES, _MANIFEST = "mien.sqlite3", "secret_key", "pictures", "manifest.json"
_ROOM = ".backup-"
_CHUNK = 1 << 20
_LONGEST_MANIFEST = 200_000_000


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup file holds: when it was made, by which version, and its files with their SHA-256."""

    made: str
    version: str
    files: dict[str, str]

    @property
    def pictures(self) -> int:
        """How many pictures are in it."""
        return sum(name.startswith(f"{_PICTURES}/") for name in self.files)


def back_up(settings: WebSettings, target: Path) -> Backup:
    """Write everything that is kept to the file `target`, for its owner's eyes only; the server may run.

    Raises:
        OptionError: the database is not SQLite, or there is none.
        OutputError: the file cannot be written.
    """
    database = _database(settings)
    if not database.is_file():
        raise OptionError(
            f"there is nothing to back up in {shown(settings.folder)}; name the folder with --data"
        )
    files: dict[str, str] = {}
    with _room(settings.folder) as room, atomic_path(target) as temporary:
        temporary.chmod(0o600)
        _copy_database(database, room / _DATABASE)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, path in _kept(settings.folder, room):
                # a picture may be deleted meanwhile: then it does not belong into the backup either
                with suppress(FileNotFoundError):
                    files[name] = _pack(packed, name, path)
            made = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = {"format": _FORMAT, "made": made, "version": __version__, "files": files}
            packed.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    return Backup(made, __version__, files)


def restore(settings: WebSettings, source: Path, *, replace: bool = False) -> Backup:
    """Put back what `back_up` wrote; what is in the data folder stays until all of it has been checked.

    A database of an older version comes up to date with `start.prepare`, after this.

    Args:
        settings: as of the server that goes on with it.
        source: the file.
        replace: give up what the data folder holds now.

    Raises:
        OptionError: the file is no backup, or damaged, or the data folder is in use for something already.
        OutputError: the backup is of a newer Mien, a server runs, or the disk is full.
    """
    database = _database(settings)
    with lock(settings.folder, "serving", wait=False), _opened(source) as packed:
        if database.exists() and not replace:
            raise OptionError(f"{shown(settings.folder)} holds a database already; --replace gives it up")
        backup = _read_manifest(packed, source)
        with _room(settings.folder) as room:
            _unpack(packed, backup, room, source)
            _check_database(room / _DATABASE, source)
            _put_in_place(room, settings.folder, database)
    return backup


def _database(settings: WebSettings) -> Path:
    """Return the file of the database; it may not exist yet."""
    kind, _, place = settings.database_url.partition(":///")
    if kind not in ("", "sqlite"):
        raise OptionError(
            "the database is not SQLite: save it with pg_dump and bring it back with pg_restore, and copy "
            f"{shown(settings.folder / _PICTURES)} and {shown(settings.folder / _KEY)}"
        )
    return Path(place) if place else settings.folder / _DATABASE


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside the database, on the same disk, which is gone afterwards.

    So are those that another one left which was killed: they hold personal data.
    """
    room = folder / f"{_ROOM}{secrets.token_hex(8)}"
    try:
        with lock(folder, "backup"):
            for left in folder.glob(f"{_ROOM}*"):
                shutil.rmtree(left, ignore_errors=True)
            room.mkdir(mode=0o700)
            yield room
    except OSError as error:
        raise refusal(folder, error) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _copy_database(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as origin, closing(sqlite3.connect(copy)) as target:
        try:
            origin.backup(target)
        except sqlite3.Error as error:
            raise OutputError(
                f"{shown(database)} cannot be copied: {error}; make room, then try again"
            ) from error


def _kept(folder: Path, room: Path) -> Iterator[tuple[str, Path]]:
    yield _DATABASE, room / _DATABASE
    yield _KEY, folder / _KEY
    for path in sorted((folder / _PICTURES).rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _pack(packed: zipfile.ZipFile, name: str, path: Path) -> str:
    digest = hashlib.sha256()
    # the picture is opened first: one that is gone leaves no entry
    with path.open("rb") as origin, packed.open(name, "w", force_zip64=True) as target:
        while chunk := origin.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source) as packed:
            yield packed
    except FileNotFoundError:
        raise OptionError(f"there is no file {shown(source)}; give the name of a backup") from None
    # RuntimeError: encrypted, so not ours
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise OptionError(f"{shown(source)} is no backup of Mien, or damaged: {error}") from error
    except IsADirectoryError:
        raise OptionError(f"{shown(source)} is a folder; give the name of a backup") from None


def _read_manifest(packed: zipfile.ZipFile, source: Path) -> Backup:
    try:
        entry = packed.getinfo(_MANIFEST)
        if entry.file_size > _LONGEST_MANIFEST:
            raise ValueError("its manifest is too long")
        data: Any = json.loads(packed.read(entry))
        if data["format"] != _FORMAT:
            raise ValueError(f"its format is {data['format']!r}")
        backup = Backup(
            str(data["made"]), str(data["version"]), {str(n): str(d) for n, d in data["files"].items()}
        )
        if _DATABASE not in backup.files:
            raise ValueError("it holds no database")
        if wrong := [name for name in backup.files if not _is_ours(name)]:
            raise ValueError(f"it names {wrong[0]!r}")
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OptionError(f"{shown(source)} is no backup of Mien: {error}") from error
    return backup


def _is_ours(name: str) -> bool:
    parts = PurePosixPath(name).parts
    inside = len(parts) > 1 and parts[0] == _PICTURES and ".." not in parts
    return name in (_DATABASE, _KEY) or (inside and "\\" not in name and ":" not in name and "\0" not in name)


def _unpack(packed: zipfile.ZipFile, backup: Backup, room: Path, source: Path) -> None:
    sizes = {entry.filename: entry.file_size for entry in packed.infolist()}
    if missing := [name for name in backup.files if name not in sizes]:
        raise OptionError(f"{shown(source)} is damaged: {missing[0]!r} is missing")
    needed = sum(sizes[name] for name in backup.files)
    if needed > (free := shutil.disk_usage(room).free):
        raise OutputError(f"{shown(source)} needs {needed:,} bytes, and {free:,} are free; make room")
    for name, digest in backup.files.items():
        target = room / name
        ensure_folder(target.parent)
        if _extract(packed, name, target) != digest:
            raise OptionError(f"{shown(source)} is damaged: {name!r} is not what was saved")
        target.chmod(0o600)


def _extract(packed: zipfile.ZipFile, name: str, target: Path) -> str:
    digest = hashlib.sha256()
    with packed.open(name) as origin, target.open("wb") as file:
        while chunk := origin.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _check_database(path: Path, source: Path) -> None:
    from django.db.migrations.loader import MigrationLoader

    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    try:
        with closing(sqlite3.connect(path)) as database:
            state = database.execute("PRAGMA integrity_check").fetchone()[0]
            applied = set(database.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.Error as error:
        raise OptionError(f"{shown(source)} holds no database of Mien: {error}") from error
    if state != "ok":
        raise OptionError(f"the database in {shown(source)} is damaged: {state}")
    if newer := sorted(applied - known):
        raise OutputError(
            f"{shown(source)} is of a newer Mien ({'.'.join(newer[0])}); this is {__version__}: "
            "install the newer one"
        )


def _put_in_place(room: Path, folder: Path, database: Path) -> None:
    """Swap what is there for what was unpacked; should that fail, what was there comes back.

    Database and key are replaced in one step each: whenever the machine stops, one of both is there.
    """
    before = room / "before"
    before.mkdir()
    _fold_journal(database)
    done: list[tuple[Path, Path]] = []
    try:
        for name, place in ((_DATABASE, database), (_KEY, folder / _KEY)):
            if (room / name).exists():
                if place.exists():
                    shutil.copy2(place, before / name)
                (room / name).replace(place)
                done.append((before / name, place))
        pictures = folder / _PICTURES
        if pictures.exists():
            pictures.rename(before / _PICTURES)
            done.append((before / _PICTURES, pictures))
        if (room / _PICTURES).exists():
            (room / _PICTURES).rename(pictures)
    except OSError as error:
        for saved, place in reversed(done):
            if saved.exists():
                saved.replace(place)
        raise refusal(folder, error) from error


def _fold_journal(database: Path) -> None:
    """Write the old database's journal into it: SQLite would take it for one of the new database."""
    if database.exists():
        # a damaged database may be why its owner restores
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)

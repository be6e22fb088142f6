"""What comes before a server or a command: the settings, Django, the data folder and the tables in it."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mien.core.errors import MissingExtraError, OptionError, OutputError
from mien.core.files import atomic_write, ensure_folder, shown
from mien.core.version import __version__
from mien.web import settings_table
from mien.web.locks import lock
from mien.web.settings_table import WebSettings

# What the extra brings first; where it is there, the others are.
_NEEDED = ("django", "uvicorn", "allauth", "channels", "whitenoise")
_ADVISORY_LOCK = 6_436_001  # of PostgreSQL, any number that nothing else of ours uses


def set_up(settings: WebSettings) -> None:
    """Give the settings to this process and those it starts, and load Django.

    Raises:
        MissingExtraError: the extra `web` is not installed.
        OptionError: Django refuses a setting.
        OutputError: the data folder cannot be written.
    """
    for package in _NEEDED:
        if find_spec(package) is None:
            raise MissingExtraError(package, "web")
    _export(settings)
    ensure_folder(settings.folder)
    settings.folder.chmod(0o700)
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except (ImproperlyConfigured, ValueError) as error:
        raise OptionError(f"the settings cannot be used: {error}; see mien serve --settings") from error


def prepare(settings: WebSettings, *, static_files: bool = True) -> bool:
    """Bring the database's tables and the static files up to date; several servers may start at once.

    Args:
        settings: what `set_up` was given.
        static_files: those too, which only a server needs.

    Returns:
        Whether tables were made or changed.

    Raises:
        OptionError: the database cannot be reached.
        OutputError: the database belongs to a newer Mien.
    """
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    _check_postgresql(settings)
    with lock(settings.folder, "prepare"):
        try:
            with _alone_in_database():
                changed = bool(pending_migrations())
                if changed:
                    call_command("migrate", verbosity=0, interactive=False)
                call_command("createcachetable", verbosity=0)
        except DatabaseError as error:
            raise OptionError(
                f"the database cannot be used: {_first_line(error)}; see DATABASE_URL"
            ) from error
        finally:
            connection.close()
        if static_files:
            _gather_static_files(settings.folder / "static")
    _hide_database(settings.folder)
    return changed


def manage(command: Sequence[str]) -> None:
    """Run a command of Django, with its arguments; it ends the process where it fails."""
    from django.core.management import ManagementUtility

    ManagementUtility(["mien manage", *command]).execute()


def pending_migrations() -> list[tuple[str, str]]:
    """Return what the database lacks, as (room, name).

    Raises:
        OutputError: a newer Mien has changed the database.
    """
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    ours = {app for app, _ in executor.loader.disk_migrations}
    known = set(executor.loader.graph.nodes) | {
        key for migration in executor.loader.disk_migrations.values() for key in migration.replaces
    }
    newer = [key for key in executor.loader.applied_migrations if key[0] in ours and key not in known]
    if newer:
        raise OutputError(
            f"the database was changed by a newer Mien ({'.'.join(newer[0])}); this is {__version__}: "
            "install the newer one, or restore a backup of before"
        )
    return [
        (step.app_label, step.name) for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]


def check_deployment(settings: WebSettings) -> None:
    """Run Django's own checks of a production server.

    Raises:
        OptionError: one of them warns.
    """
    if not settings.production:
        return
    from django.core import checks

    found = checks.run_checks(include_deployment_checks=True)
    if serious := [entry for entry in found if entry.is_serious(checks.WARNING)]:
        raise OptionError("; ".join(f"{entry.id}: {_first_line(entry.msg)}" for entry in serious))


def _export(settings: WebSettings) -> None:
    given = settings_table.to_environment(settings)
    for entry in fields(settings):
        os.environ.pop(settings_table.variable(entry.name), None)
    os.environ.update(given)
    if settings.data:
        # models and whatever else Mien keeps are looked for in the same place
        os.environ["MIEN_DATA"] = str(Path(settings.data).absolute())
    os.environ["DJANGO_SETTINGS_MODULE"] = "mien.web.settings"


def _check_postgresql(settings: WebSettings) -> None:
    """Ask for one connection: the pool would try again and again, and not say why in the end."""
    if not settings.database_url.startswith("postgres"):
        return
    import psycopg

    try:
        psycopg.connect(settings.database_url, connect_timeout=settings.database_wait_seconds).close()
    except psycopg.Error as error:
        raise OptionError(f"the database cannot be used: {_first_line(error)}; see DATABASE_URL") from error


@contextmanager
def _alone_in_database() -> Iterator[None]:
    """On PostgreSQL several machines may start at once: one of them changes the tables, the others wait."""
    from django.db import connection

    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])


def _gather_static_files(target: Path) -> None:
    """Copy the files of all rooms and packages under their hashed names, unless they are there already."""
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    digest = hashlib.sha256(__version__.encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list(["*.map"]), key=lambda found: str(found[0])):
            digest.update(f"{name}\0{_content_digest(storage, name)}\0".encode())
    marker = target / "gathered"
    if marker.is_file() and marker.read_text(encoding="ascii") == digest.hexdigest():
        return
    # what an older server that still runs gives out stays where it is
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=["*.map"])
    atomic_write(marker, digest.hexdigest())


def _content_digest(storage: Any, name: str) -> str:
    with storage.open(name) as file:
        return hashlib.sha256(file.read()).hexdigest()


def _hide_database(folder: Path) -> None:
    for path in folder.glob("mien.sqlite3*"):
        path.chmod(0o600)


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def check_model(settings: WebSettings) -> None:
    """Find out before the first visitor whether the model can be used.

    Raises:
        ModelError: it cannot; the message says why.
    """
    if settings.model_path:
        try:
            importlib.import_module("mien.zoo.registry").load_model(settings.model_path)
        except OSError as error:
            raise OptionError(f"MODEL_PATH={shown(settings.model_path)} cannot be read: {error}") from error

"""Optuna's study in a SQLite file: opened by one search at a time, and only where it is the same search."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from mien.core.errors import OutputError, TrainingError
from mien.core.files import shown
from mien.training.config import TrainingConfig

_NAME = "mien"
_IDENTITY = "mien"
_LOCK = "tune.lock"
# Optuna's own tables begin so; a database with others alone is somebody else's.
_TABLES = ("stud", "trial", "version_info", "alembic_version")
_COMPLETE_BEFORE_PRUNING = 3


@contextlib.contextmanager
def open_study(path: Path, identity: Mapping[str, Any], maximise: bool) -> Iterator[optuna.Study]:
    """Give the study in the file `path`, which is made where it is missing; nobody else gets it meanwhile.

    Args:
        path: of the database; its folder exists.
        identity: plain types that have to be equal to those of the study that is there.
        maximise: whether more is better.

    Raises:
        TrainingError: the file is damaged, is no study of Mien, or is of another search.
        OutputError: another search is at work in the folder, or the study cannot be written.
    """
    with _alone(path.with_name(_LOCK)), _quiet():
        _check(path)
        try:
            storage = optuna.storages.RDBStorage(URL.create("sqlite", database=str(path)).render_as_string())
        except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError, AssertionError) as error:
            raise _unusable(path, error) from error
        try:
            yield _same(storage, path, identity, maximise)
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            raise OutputError(
                f"study {shown(path)} cannot be read or written: {_first_line(error)}; make room, or "
                "restore it from a copy, and give the same command"
            ) from error
        finally:
            storage.remove_session()
            storage.engine.dispose()


def sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Return what proposes the next trial."""
    return optuna.samplers.TPESampler(seed=seed)


def pruner(name: str, config: TrainingConfig) -> optuna.pruners.BasePruner:
    """Return what ends bad trials early: one of `PRUNERS`."""
    if name == "none":
        return optuna.pruners.NopPruner()
    if name == "hyperband":
        least = max(1, config.epochs // 9)
        return optuna.pruners.HyperbandPruner(least, config.epochs, 3)
    # While the rate rises, a trial says little about its end.
    first = max(1, math.ceil(config.warmup_epochs), config.epochs // 10)
    return optuna.pruners.MedianPruner(_COMPLETE_BEFORE_PRUNING, first)


def _same(
    storage: optuna.storages.RDBStorage, path: Path, identity: Mapping[str, Any], maximise: bool
) -> optuna.Study:
    study = optuna.create_study(
        storage=storage,
        study_name=_NAME,
        direction="maximize" if maximise else "minimize",
        load_if_exists=True,
    )
    before = study.user_attrs.get(_IDENTITY)
    if before is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(_IDENTITY, dict(identity))
        return study
    if not isinstance(before, dict):
        raise TrainingError(f"{shown(path)} is no study of mien tune; choose another folder")
    if other := [name for name, value in identity.items() if before.get(name) != value]:
        raise TrainingError(
            f"{shown(path)} is a search with other {' and '.join(other)}; give those again, or choose "
            "another folder"
        )
    return study


def _check(path: Path) -> None:
    """Read the database through before Optuna writes to it."""
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    if tables and not any(str(table).startswith(_TABLES) for table in tables):
        raise TrainingError(f"{shown(path)} is a database of something else; choose another folder")


def _unusable(path: Path, error: Exception) -> TrainingError:
    return TrainingError(
        f"study {shown(path)} cannot be used: {_first_line(error)}; restore it from a copy, or choose "
        "another folder"
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold SQLite's own lock on an empty database: it works on every system and ends with the process."""
    try:
        database = sqlite3.connect(path, timeout=0, isolation_level=None)
    except sqlite3.Error as error:
        raise OutputError(f"{shown(path)} cannot be written: {error}; choose another place") from error
    with contextlib.closing(database):
        try:
            database.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"another mien tune is at work in {shown(path.parent)} ({error}); wait for it or choose "
                "another folder"
            ) from error
        except sqlite3.Error as error:
            raise OutputError(f"{shown(path)} cannot be used: {error}; remove it") from error
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's reports of every trial, and its notes about its own future, from the user."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)

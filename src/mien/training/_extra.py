"""What training needs beyond the base, said in Mien's words where it is missing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TypeVar

from mien.core.errors import MissingExtraError

_T = TypeVar("_T")


def with_training(load: Callable[[], _T]) -> _T:
    """Return what `load` imports.

    Raises:
        MissingExtraError: a package of the train extra is not installed.
    """
    try:
        return load()
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "a package", "train") from None


def check_training() -> None:
    """Raise MissingExtraError where the train extra is not installed."""
    with_training(lambda: importlib.import_module("mien.training.loop"))

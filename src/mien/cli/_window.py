"""The windows, which are the part of Mien that needs Qt and a display."""

from __future__ import annotations

import importlib
from typing import Any

from mien.core.errors import MissingExtraError, OptionError
from mien.desktop._display import check_display

_INSTEAD = "or give --no-window for a line a second"


def live_window() -> Any:
    """Return `run(session, *, language) -> None` of the live window.

    It starts the session, shows it until the window is closed, and stops it.

    Raises:
        OptionError: there is no display, it cannot be used, or the desktop program is not installed.
    """
    try:
        check_display(_INSTEAD)
    except MissingExtraError as error:
        raise OptionError(f"{error}, {_INSTEAD}") from error
    return importlib.import_module("mien.desktop.live_window").run

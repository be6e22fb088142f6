"""The live window, which is part of the desktop program."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.util import find_spec
from typing import Any

from mien.core.errors import OptionError

_INSTEAD = "or give --no-window for a line a second"


def live_window() -> Any:
    """Return `run(session, *, language) -> None` of the desktop program.

    It starts the session, shows it until the window is closed, and stops it.

    Raises:
        OptionError: there is no display, or the desktop program is not installed.
    """
    if not _has_display():
        raise OptionError(f"there is no display to open a window on; log in at a screen, {_INSTEAD}")
    if find_spec("PySide6") is None or find_spec("mien.desktop") is None:
        raise OptionError(
            f"the live window needs the desktop program: pip install 'mien[desktop]', {_INSTEAD}"
        )
    return importlib.import_module("mien.desktop.live").run


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))

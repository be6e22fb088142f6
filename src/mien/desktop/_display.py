"""Whether a window can be opened, found out before Qt, which would end the process where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

from mien.core.errors import MissingExtraError, OptionError

_PROBE = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
_PATIENCE_S = 30.0


def check_display(instead: str = "") -> None:
    """Make sure that a window can be opened.

    Args:
        instead: what else can be done, for the message, such as "or give --no-window".

    Raises:
        MissingExtraError: Qt is not installed.
        OptionError: there is no display, or Qt cannot use it.
    """
    hint = f", {instead}" if instead else ""
    if not has_display():
        raise OptionError(f"there is no display to open a window on; log in at a screen{hint}")
    for package in ("PySide6", "pyqtgraph"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "desktop")
    if sys.platform not in ("win32", "darwin") and (why := _refusal()):
        raise OptionError(f"no window can be opened: {why}; check the display{hint}")


def has_display() -> bool:
    """Tell whether the environment names a display."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _refusal() -> str:
    """Return what Qt says of the display in a process of its own; "" where it opens."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "Qt does not answer"
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else "Qt ended at once"

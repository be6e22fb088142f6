"""Whether a window can be opened, found out before Qt, which would end the process where it cannot."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec

from mien.core.errors import MissingExtraError, OptionError

PACKAGES = ("PySide6", "pyqtgraph")
"""What has to be installed to open a window, all of it in the extra `desktop`."""

# What Qt loads on Linux and brings no copy of, with the package of Debian and Ubuntu: always, and where
# windows are opened through X11 or through Wayland. A test compares them with what Qt's files ask for.
_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libX11.so.6": "libx11-6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libzstd.so.1": "libzstd1",
}
_X11_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_WAYLAND_LIBRARIES = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}
_PROBE = (
    "from PySide6.QtGui import QGuiApplication as App; app = App([]); print('platform:', App.platformName())"
)
_PATIENCE_S = 30.0


def check_display(instead: str = "") -> None:
    """Make sure that a window can be opened.

    Args:
        instead: what else can be done, for the message, such as "or give --no-window".

    Raises:
        MissingExtraError: Qt is not installed.
        OptionError: there is no display, a library of the system is missing, or Qt cannot use the display.
    """
    hint = f", {instead}" if instead else ""
    if not has_display():
        raise OptionError(f"there is no display to open a window on; log in at a screen{hint}")
    for package in PACKAGES:
        if find_spec(package) is None:
            raise MissingExtraError(package, "desktop")
    if missing := missing_libraries():
        raise OptionError(f"no window can be opened: {lacking(missing)}; {how_to_install(missing)}{hint}")
    if sys.platform not in ("win32", "darwin") and (why := open_display()[1]):
        raise OptionError(f"no window can be opened: {why}; check the display{hint}")


def has_display() -> bool:
    """Tell whether the environment names a display."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def missing_libraries() -> dict[str, str]:
    """Return the libraries of the system that Qt needs here and that do not load, each with its package."""
    if sys.platform != "linux":
        return {}
    wanted = _LIBRARIES | _of_platform()
    return {library: package for library, package in wanted.items() if not _loads(library)}


def lacking(missing: Mapping[str, str]) -> str:
    """Return in words what `missing_libraries` found."""
    what = "library" if len(missing) == 1 else "libraries"
    return f"the system lacks the {what} {', '.join(missing)}"


def how_to_install(missing: Mapping[str, str]) -> str:
    """Return what to do about what `missing_libraries` found."""
    return f"on Debian and Ubuntu: sudo apt install {' '.join(dict.fromkeys(missing.values()))}"


def open_display() -> tuple[str, str]:
    """Open and close Qt in a process of its own.

    Returns:
        The platform that it opened, such as "xcb" or "wayland", and ""; or "" and what Qt says.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", "Qt does not answer"
    if done.returncode == 0:
        return done.stdout.rpartition("platform:")[2].strip(), ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if not lines:
        return "", "Qt ended at once"
    # Python says last what went wrong, Qt says it first.
    return "", lines[-1 if lines[0].startswith("Traceback") else 0].rstrip(".")


def _of_platform() -> dict[str, str]:
    """Return the libraries of the way in which Qt will open windows."""
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if not platform:
        platform = (
            "wayland" if os.environ.get("WAYLAND_DISPLAY") else "xcb" if os.environ.get("DISPLAY") else ""
        )
    if platform.startswith("xcb"):
        return _X11_LIBRARIES
    return _WAYLAND_LIBRARIES if platform.startswith("wayland") else {}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True

"""The libraries of the system that windows need: as Qt's own files say, and as the docs say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")

import PySide6

from mien.desktop import _display

QT = Path(PySide6.__file__).parent / "Qt"
DOCS = Path(__file__).parents[2] / "docs" / "desktop.md"
# Of the C and C++ of every system, and what Python itself needs.
EVERYWHERE = r"(ld-linux.*|linux-vdso|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|z))\.so.*"


def needed(file: Path, done: set[str]) -> set[str]:
    """Return what a file of Qt and those of Qt's files that it loads ask of the system."""
    said = subprocess.run(["readelf", "-d", str(file)], capture_output=True, text=True, check=True).stdout
    found: set[str] = set()
    for name in re.findall(r"\(NEEDED\).*\[(.+)\]", said):
        if (QT / "lib" / name).exists():
            if name not in done:
                done.add(name)
                found |= needed(QT / "lib" / name, done)
        elif not re.fullmatch(EVERYWHERE, name):
            found.add(name)
    return found


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("readelf"), reason="needs Linux and readelf")
@pytest.mark.parametrize(
    ("plugins", "own"),
    [("libqxcb.so", _display._X11_LIBRARIES), ("libqwayland*.so", _display._WAYLAND_LIBRARIES)],
)
def test_every_library_that_qt_asks_for_is_known(plugins: str, own: dict[str, str]) -> None:
    files = sorted((QT / "plugins" / "platforms").glob(plugins))
    if not files:
        pytest.skip(f"this Qt has no {plugins}")
    asked: set[str] = set()
    for file in [*files, QT / "lib" / "libQt6Widgets.so.6"]:
        asked |= needed(file, set())
    assert asked <= {*own, *_display._LIBRARIES}


@pytest.mark.parametrize("table", [_display._LIBRARIES, _display._X11_LIBRARIES, _display._WAYLAND_LIBRARIES])
def test_the_docs_name_every_package(table: dict[str, str]) -> None:
    lines = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("|")]
    assert any(set(table.values()) == set(re.findall(r"`([^`]+)`", line)) for line in lines)


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        ({"DISPLAY": ":0"}, _display._X11_LIBRARIES),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, _display._WAYLAND_LIBRARIES),
        ({"WAYLAND_DISPLAY": "wayland-0", "QT_QPA_PLATFORM": "xcb"}, _display._X11_LIBRARIES),
        ({"QT_QPA_PLATFORM": "offscreen"}, {}),
    ],
)
def test_only_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], own: dict[str, str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(_display.sys, "platform", "linux")
    monkeypatch.setattr(
        _display, "_loads", lambda library: "icccm" not in library and "cursor" not in library
    )
    missing = _display.missing_libraries()
    assert missing == {name: package for name, package in own.items() if "icccm" in name or "cursor" in name}
    for package in missing.values():
        assert package in _display.how_to_install(missing)
    assert "libxcb-keysyms1" not in _display.how_to_install(missing)

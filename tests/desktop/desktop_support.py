"""A main window with settings, gallery and model of its own."""

from __future__ import annotations

from pathlib import Path

from film_support import SAMPLES, face_film
from PySide6.QtWidgets import QFileDialog

from mien.desktop.main_window import MainWindow
from mien.desktop.reading import Models
from mien.desktop.settings import Settings
from mien.gallery import Gallery
from mien.testing import fake_model

WAIT_MS = 30_000
PHOTO = SAMPLES / "eileen-collins.jpg"


def make_window(folder: Path, *, camera: str = "0") -> MainWindow:
    settings = Settings(folder / "settings")
    return MainWindow(settings, Models(fake_model()), gallery=Gallery(folder / "faces"), camera=camera)


def open_and_wait(qtbot, window: MainWindow, *paths: Path) -> None:
    window.open_paths(paths)
    wait_idle(qtbot, window)


def wait_idle(qtbot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.work is None, timeout=WAIT_MS)


def wait_faces(qtbot, window: MainWindow, count: int) -> None:
    qtbot.waitUntil(lambda: len(window.browser.view.faces) == count, timeout=WAIT_MS)


def small_film(folder: Path, frames: int = 30) -> Path:
    return face_film(folder / "film.mp4", frames=frames)


def choose(dialog: QFileDialog, path: Path) -> None:
    """Choose a file as a person does with Enter."""
    dialog.filesSelected.emit([str(path)])
    dialog.close()

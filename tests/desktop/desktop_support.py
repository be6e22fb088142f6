"""A main window with settings, gallery and model of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from film_support import SAMPLES, face_film
from PySide6.QtWidgets import QFileDialog

from mien.core.film_results import Event, FilmSummary, Moment, Segment
from mien.desktop.main_window import MainWindow
from mien.desktop.reading import Models
from mien.desktop.settings import Settings
from mien.gallery import Gallery
from mien.testing import fake_model

WAIT_MS = 30_000
PHOTO = SAMPLES / "eileen-collins.jpg"


def make_window(folder: Path, *, camera: str | None = None) -> MainWindow:
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


def film_with_events(film: FilmSummary) -> FilmSummary:
    """Return the film as if two people had shown something: three events, two of them at once."""
    track = film.tracks[0]
    happy = Segment("happy", Moment(0, 0.0), 1.0, 0.8)
    rest = Segment(None, Moment(12, 1.0), 2.4, 0.4)
    other = replace(track, track_id=1, segments=(replace(happy, label="surprise"),))
    events = (
        _event(0, "happy", 0.25, 0.5, 0.75),
        _event(1, "surprise", 0.25, 0.5, 1.0),
        _event(0, "sad", 1.25, 1.5, 1.75),
    )
    return replace(film, tracks=(replace(track, segments=(happy, rest)), other), events=events)


def _event(track_id: int, label: str, *seconds: float) -> Event:
    onset, apex, offset = (Moment(round(12 * time_s), time_s) for time_s in seconds)
    return Event(track_id, label, onset, apex, offset, 0.9)

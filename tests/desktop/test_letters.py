"""Alt and a letter reach one thing in each window, in every language; what can be pressed has a letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from desktop_support import PHOTO, make_window, open_and_wait, small_film
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QPushButton,
    QWidget,
)

from mien.core.emotions import LANGUAGES
from mien.core.errors import CameraError, ModelError, OutputError
from mien.desktop.live_window import LiveWindow
from mien.desktop.main_window import MainWindow
from mien.live import open_session
from mien.testing import fake_model


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    made = make_window(tmp_path)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.choose("language", "en")
    made.close()
    made.join()


def letter(words: str) -> str:
    """Return the letter that Alt reaches, as Qt reads it."""
    return QKeySequence.mnemonic(words).toString()


def check_menus(window: QMainWindow) -> None:
    for menu in window.menuBar().findChildren(QMenu):
        names = [action.text() for action in menu.actions() if not action.isSeparator()]
        if menu.title().replace("&", "") in ("Language", "Ngôn ngữ", "Limbă"):
            continue  # languages keep their own names
        check(names)


def check(names: list[str]) -> None:
    letters = [letter(name) for name in names]
    assert "" not in letters, names
    assert [one for one, count in Counter(letters).items() if count > 1] == [], names


def names_in(window: QWidget) -> list[str]:
    """Return the texts of everything in a window, but not in its dialogs, that Alt can reach."""
    inside = [
        one for one in window.findChildren(QWidget) if one.window() is window and one.isVisibleTo(window)
    ]
    names = [one.text() for one in inside if isinstance(one, (QPushButton, QCheckBox))]
    names += [one.text() for one in inside if isinstance(one, QLabel) and one.buddy() is not None]
    if isinstance(window, QMainWindow):
        names += [action.text() for action in window.menuBar().actions()]
    return names


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "problem",
    [
        ModelError("x"),
        OutputError("x"),
        pytest.param(CameraError("x"), id="camera"),
    ],
)
def test_the_main_window(qtbot, window: MainWindow, language: str, problem: Exception) -> None:
    window.choose("language", language)
    if isinstance(problem, CameraError):
        window._camera_failed(problem)
    else:
        window.show_problem(problem)
    window.cancel_button.show()
    names = names_in(window)
    assert {window.cancel_button.text(), window.banner.dismiss.text(), window.browser.panel.clahe.text()} <= {
        *names
    }
    check(names)
    check_menus(window)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_dialogs(qtbot, window: MainWindow, tmp_path: Path, language: str) -> None:
    window.choose("language", language)
    window.choose_camera()
    check(names_in(window.camera_chooser))
    window.camera_chooser.reject()
    saved = window.dialogs.saved_faces()
    check(names_in(saved))
    saved.clear.setEnabled(True)
    saved.clear.click()
    check(names_in(saved.findChild(QMessageBox)))
    saved.findChild(QMessageBox).close()
    saved.accept()
    for box in (window.show_keys(), window.show_about()):
        check(names_in(box))
        box.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_dialogs(qtbot, window: MainWindow, language: str) -> None:
    window.choose("language", language)
    open_and_wait(qtbot, window, PHOTO)
    for dialog in (window.dialogs.open_files(), window.dialogs.open_folder(), window.dialogs.export()):
        letters = [letter(name) for name in names_in(dialog) if letter(name)]
        assert len(set(letters)) == len(letters), names_in(dialog)
        assert isinstance(dialog, QFileDialog)
        dialog.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_live_window(qtbot, tmp_path: Path, language: str) -> None:
    session = open_session(str(small_film(tmp_path)), model=fake_model(), detector="haar")
    window = LiveWindow(session, language=language)
    qtbot.addWidget(window)
    window.show()
    check(names_in(window))
    check_menus(window)
    window.panel.clear_faces()
    check(names_in(window.findChild(QMessageBox)))
    window.close()
    session.stop()

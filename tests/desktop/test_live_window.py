"""The live window: what it shows of a session, and what its keys do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from film_support import face_film
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from mien.core.errors import CameraError
from mien.desktop import live_window
from mien.desktop.live_window import LiveWindow
from mien.gallery import Gallery
from mien.live import LiveSession, open_session
from mien.testing import fake_model

WAIT_MS = 20_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LiveSession]:
    film = face_film(tmp_path / "film.mp4", frames=120)
    live = open_session(
        str(film), model=fake_model(), detector="haar", cadence=0, gallery=Gallery(tmp_path / "faces")
    )
    yield live
    live.stop()


@pytest.fixture
def window(qtbot, session: LiveSession) -> LiveWindow:
    window = LiveWindow(session)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    session.start()
    qtbot.waitUntil(lambda: bool(window.panel.view.faces), timeout=WAIT_MS)
    return window


def saved(session: LiveSession) -> list[Path]:
    return sorted(session.gallery.folder.glob("*/*.jpg"))


def test_it_shows_picture_boxes_bars_and_speed(qtbot, window: LiveWindow) -> None:
    panel = window.panel
    assert panel.view.has_picture
    shown = [bars for bars in panel.bars if bars.isVisible()]
    assert len(shown) == len(panel.view.faces) == 1
    assert "happy " in shown[0].words()
    assert shown[0].words().count("%") == 7
    qtbot.waitUntil(lambda: not panel.speed.text().startswith("0 frames/s"), timeout=WAIT_MS)
    assert "ms from frame to label" in panel.speed.text()


def test_s_saves_and_c_clears_once_it_was_asked(qtbot, window: LiveWindow, session: LiveSession) -> None:
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: len(saved(session)) == 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.panel.notice.text().startswith("saved "), timeout=WAIT_MS)

    for answer, left in (("&Keep", 1), ("&Delete", 0)):
        window.activateWindow()  # a window manager does that when the question before is gone
        qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
        qtbot.keyClick(window, Qt.Key.Key_C)
        box = window.findChild(QMessageBox)
        assert box.defaultButton().text() == "&Keep"
        button = next(one for one in box.buttons() if one.text() == answer)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.findChild(QMessageBox) is None, timeout=WAIT_MS)
        qtbot.waitUntil(lambda left=left: len(saved(session)) == left, timeout=WAIT_MS)


def test_notices_are_in_the_language_of_the_window(qtbot, window: LiveWindow, session: LiveSession) -> None:
    window.panel.retranslate("ro")
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: window.panel.notice.text().startswith("salvat "), timeout=WAIT_MS)


def test_p_pauses_and_goes_on(qtbot, window: LiveWindow, session: LiveSession) -> None:
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert session.paused
    assert window.panel.speed.text().endswith("paused")
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert not session.paused


def test_another_language_at_once(window: LiveWindow) -> None:
    window.panel.retranslate("ro")
    assert "Fericire" in window.panel.bars[0].words()
    assert "cadre/s" in window.panel.speed.text()


def test_run_shows_until_q_and_leaves_nothing_behind(qtbot, session: LiveSession) -> None:
    def press_q() -> None:
        windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, LiveWindow)]
        if windows and windows[0].panel.view.has_picture:
            qtbot.keyClick(windows[0], Qt.Key.Key_Q)
            windows[0].deleteLater()

    timer = QTimer()
    timer.timeout.connect(press_q)
    timer.start(50)
    live_window.run(session, language="vi")
    timer.stop()
    assert session.ended


def test_what_ended_the_session_is_shown_and_raised(qtbot, tmp_path: Path) -> None:
    film = face_film(tmp_path / "long.mp4", frames=30)
    live = open_session(str(film), model=fake_model(), detector="haar")

    def fail(shot: object) -> None:
        raise CameraError("the camera is gone; plug it in")

    live.subscribe(fail)
    texts: list[str] = []

    def look() -> None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, LiveWindow) and live.ended and window.panel.notice.text():
                texts.append(window.panel.notice.text())
                window.close()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    with pytest.raises(CameraError) as raised:
        live_window.run(live)
    timer.stop()
    assert texts[0] == str(raised.value)

"""What cannot be read leaves nothing of what was shown before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from desktop_support import PHOTO, WAIT_MS, make_window, open_and_wait, small_film, wait_faces
from PySide6.QtCore import Qt

from mien.batch import Outcome
from mien.core.errors import CameraError, VideoFormatError
from mien.desktop.browser import Browser
from mien.desktop.live_panel import LivePanel
from mien.desktop.main_window import MainWindow
from mien.live import open_session
from mien.testing import fake_model


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    made = make_window(tmp_path)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()
    made.join()


def assert_nothing_but(browser: Browser, words: str) -> None:
    assert words in browser.view.hint
    assert not browser.view.has_picture
    assert not browser.view.faces
    assert not browser.timeline.isVisible()
    assert not browser.legend.isVisible()
    assert browser.panel.table.rowCount() == 0
    assert browser.panel.bars.words() == ""
    assert all(label.pixmap().isNull() for label in browser.panel.previews.values())


@pytest.mark.parametrize("name", ["bad.mp4", "bad.jpg"])
def test_a_file_that_cannot_be_read_after_a_film(
    qtbot, window: MainWindow, tmp_path: Path, name: str
) -> None:
    bad = tmp_path / name
    bad.write_text("neither a film nor a photo")
    open_and_wait(qtbot, window, small_film(tmp_path), bad)
    wait_faces(qtbot, window, 1)
    browser = window.browser
    assert browser.timeline.isVisible()
    assert browser.legend.isVisible()
    browser.list.setCurrentRow(1)
    assert_nothing_but(browser, name)
    window.choose("language", "ro")
    assert_nothing_but(browser, name)
    assert "Mien citește" in browser.view.hint
    assert "Mien citește" in browser.list.item(1).toolTip()
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert not browser.plays, "there is nothing to play"
    browser.list.setCurrentRow(0)
    wait_faces(qtbot, window, 1)
    assert browser.timeline.isVisible()


def test_a_photo_that_is_gone_when_it_is_to_be_seen(qtbot, window: MainWindow, tmp_path: Path) -> None:
    gone = tmp_path / "gone.jpg"
    gone.write_bytes(PHOTO.read_bytes())
    open_and_wait(qtbot, window, PHOTO, gone)
    wait_faces(qtbot, window, 1)
    gone.unlink()
    window.browser.list.setCurrentRow(1)
    qtbot.waitUntil(lambda: "gone.jpg" in window.message.text(), timeout=WAIT_MS)
    assert_nothing_but(window.browser, "gone.jpg")
    window.browser.list.setCurrentRow(0)
    wait_faces(qtbot, window, 1)
    assert "gone.jpg" not in window.message.text()


def test_a_film_that_fails_while_it_plays(qtbot, window: MainWindow, tmp_path: Path) -> None:
    open_and_wait(qtbot, window, small_film(tmp_path))
    wait_faces(qtbot, window, 1)
    browser = window.browser
    browser.play()
    qtbot.waitUntil(lambda: browser.time_s > 0, timeout=WAIT_MS)
    browser.take(Outcome(browser.entry.item, error=VideoFormatError("film.mp4 is damaged")))
    played_to = browser.time_s
    qtbot.wait(1)
    assert_nothing_but(browser, "film.mp4 is damaged")
    assert (browser.plays, browser.time_s) == (False, played_to)


def test_a_camera_that_is_gone(qtbot, tmp_path: Path) -> None:
    session = open_session(
        str(small_film(tmp_path, frames=200)), model=fake_model(), detector="haar", cadence=0
    )
    panel = LivePanel(session)
    qtbot.addWidget(panel)
    panel.show()
    lost = []

    def fail(shot: object) -> None:
        if panel.view.faces:
            lost.append(shot)
            raise CameraError("the camera is gone; plug it in")

    session.subscribe(fail)
    with session:
        qtbot.waitUntil(lambda: "plug it in" in panel.notice.text(), timeout=WAIT_MS)
    assert lost, "faces were shown before"
    assert "plug it in" in panel.view.hint
    assert not panel.view.has_picture
    assert not panel.view.faces
    assert not any(bars.isVisible() for bars in panel.bars)
    panel.detach()

"""Choosing a camera: found beside the window, an address, or a film in its place; remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from desktop_support import WAIT_MS, make_window, small_film
from PySide6.QtCore import Qt

from mien.desktop.camera_chooser import CameraChooser
from mien.video.cameras import FoundCamera

FOUND = (FoundCamera(1, "Desk camera", 640, 480), FoundCamera(4, "", 1280, 720))


class Search:
    """Finds a camera each time the test lets it."""

    def __init__(self, *cameras: FoundCamera) -> None:
        self._cameras = cameras
        self.go = threading.Semaphore(0)
        self.times = 0

    def __call__(self, is_cancelled: Callable[[], bool]) -> Iterator[FoundCamera]:
        self.times += 1
        for camera in self._cameras:
            assert self.go.acquire(timeout=30)
            if is_cancelled():
                return
            yield camera


def rows(chooser: CameraChooser) -> list[str]:
    return [chooser.list.item(row).text() for row in range(chooser.list.count())]


@pytest.fixture
def chosen() -> list[str]:
    return []


@pytest.fixture
def open_chooser(qtbot, chosen: list[str]):
    made: list[CameraChooser] = []

    def make(search: Search, source: str = "0", in_use: str = "", language: str = "en") -> CameraChooser:
        chooser = CameraChooser(find=search)
        qtbot.addWidget(chooser)
        chooser.chosen.connect(chosen.append)
        chooser.ask(source, in_use, language)
        made.append(chooser)
        return chooser

    yield make
    for chooser in made:
        chooser.reject()
        chooser.join(30)


def test_cameras_are_listed_as_they_answer_and_the_last_one_is_chosen(qtbot, open_chooser, chosen) -> None:
    search = Search(*FOUND)
    chooser = open_chooser(search, source="4")
    assert "Looking" in chooser.state.text()
    assert not chooser.open_button.isEnabled()
    search.go.release()
    qtbot.waitUntil(lambda: len(rows(chooser)) == 1, timeout=WAIT_MS)
    assert "Looking" in chooser.state.text(), "one is there, and the search goes on"
    search.go.release()
    qtbot.waitUntil(lambda: chooser.state.text() == "", timeout=WAIT_MS)
    assert rows(chooser) == ["1: Desk camera, 640 × 480", "4: –, 1280 × 720"]
    assert chooser.list.currentRow() == 1
    qtbot.keyClick(chooser.list, Qt.Key.Key_Up)
    qtbot.mouseClick(chooser.open_button, Qt.MouseButton.LeftButton)
    assert chosen == ["1"]
    assert not chooser.isVisible()


def test_looking_again_and_closing_while_a_camera_is_silent(qtbot, open_chooser, chosen) -> None:
    search = Search(*FOUND)
    chooser = open_chooser(search)
    chooser.look_button.click()
    chooser.look_button.click()
    for _ in range(3):
        search.go.release()
    qtbot.waitUntil(lambda: search.times == 2 and len(rows(chooser)) == 2, timeout=WAIT_MS)
    chooser.close_button.click()
    assert chosen == []


def test_no_camera_answers(qtbot, open_chooser) -> None:
    chooser = open_chooser(Search(), language="ro")
    qtbot.waitUntil(lambda: chooser.state.text() == "Nicio cameră nu răspunde.", timeout=WAIT_MS)
    assert not chooser.open_button.isEnabled()


def test_the_camera_in_use_is_listed_without_trying_it(qtbot, open_chooser, chosen) -> None:
    chooser = open_chooser(Search(), source="2", in_use="2")
    qtbot.waitUntil(lambda: chooser.state.text() == "", timeout=WAIT_MS)
    assert rows(chooser) == ["2: in use now"]


def test_an_address_stands_in_for_a_camera(qtbot, open_chooser, chosen) -> None:
    search = Search(FOUND[0])
    chooser = open_chooser(search, source="rtsp://user@camera/one")
    assert chooser.place.text() == "rtsp://user@camera/one"
    search.go.release()
    qtbot.waitUntil(lambda: chooser.state.text() == "", timeout=WAIT_MS)
    assert chooser.list.selectedItems() == []
    chooser.place.setText(" rtsp://user:secret@camera/two ")
    chooser.open_button.click()
    assert chosen == ["rtsp://user:secret@camera/two"]


def test_the_window_opens_what_was_chosen_and_remembers_it_without_a_password(qtbot, tmp_path: Path) -> None:
    film = small_film(tmp_path, frames=200)
    window = make_window(tmp_path, camera="950")
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    qtbot.keyClick(window, Qt.Key.Key_F9)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert "Choose the camera" in window.banner.remedy.text().replace("&", "")
    window.banner.remedy.click()
    chooser = window.camera_chooser
    assert chooser.isVisible()
    chooser.place.setText(str(film))
    qtbot.keyClick(chooser.place, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: window.camera.panel is not None and bool(window.camera.panel.view.faces), timeout=WAIT_MS
    )
    assert not window.banner.isVisible()
    window.close()
    window.join()

    again = make_window(tmp_path)
    qtbot.addWidget(again)
    assert again.camera.source == str(film)
    again.settings.camera = "rtsp://user:secret@camera/stream"
    again.settings.save()
    assert "secret" not in (tmp_path / "settings" / "desktop.ini").read_text(encoding="utf-8")
    assert again.settings.camera == "rtsp://user@camera/stream"
    again.close()
    again.join()


def test_another_camera_takes_the_place_of_the_one_that_is_open(qtbot, tmp_path: Path) -> None:
    first = small_film(tmp_path, frames=200)
    (tmp_path / "other").mkdir()
    second = small_film(tmp_path / "other", frames=200)
    window = make_window(tmp_path, camera=str(first))
    qtbot.addWidget(window)
    window.show()
    window.toggle_camera()
    window.choose_camera()
    window.camera_chooser.place.setText(str(second))
    window.camera_chooser.accept()  # while the first is still being opened
    qtbot.waitUntil(lambda: window.camera.panel is not None, timeout=WAIT_MS)
    assert window.camera.panel.session.info.name == str(second)
    window.choose_camera()
    window.camera_chooser.place.setText(str(first))
    window.camera_chooser.accept()
    qtbot.waitUntil(
        lambda: window.camera.panel is not None and window.camera.panel.session.info.name == str(first),
        timeout=WAIT_MS,
    )
    assert window.pages.currentWidget() is window.camera.panel
    window.close()
    window.join()

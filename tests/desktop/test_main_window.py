"""The desktop program through its window: open, drop, paste, read, export, cancel, remember."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from desktop_support import (
    PHOTO,
    WAIT_MS,
    choose,
    film_with_events,
    make_window,
    open_and_wait,
    small_film,
    wait_faces,
    wait_idle,
)
from PySide6.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent, QImage, QPalette
from PySide6.QtWidgets import QApplication, QMessageBox

from mien.batch import Outcome
from mien.core import images
from mien.desktop.main_window import MainWindow
from mien.video.film import Film


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    made = make_window(tmp_path)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()
    made.join()


def test_a_photo_shows_its_faces_scores_table_and_filters(qtbot, window: MainWindow) -> None:
    open_and_wait(qtbot, window, PHOTO)
    wait_faces(qtbot, window, 1)
    panel = window.browser.panel
    assert window.browser.view.has_picture
    assert panel.table.rowCount() == 1
    assert panel.bars.words().count("%") == 7
    assert "faces: 1" in window.browser.list.item(0).text()
    qtbot.waitUntil(lambda: not panel.previews["after"].pixmap().isNull(), timeout=WAIT_MS)
    before = panel.previews["before"].pixmap().toImage()
    assert panel.previews["after"].pixmap().toImage() == before

    panel.clahe.setChecked(True)
    qtbot.waitUntil(lambda: panel.previews["after"].pixmap().toImage() != before, timeout=WAIT_MS)
    assert panel.previews["before"].pixmap().toImage() == before
    wait_idle(qtbot, window)
    qtbot.waitUntil(
        lambda: (
            next(iter(window.browser.entries.values())).analysis.options == window.browser.options.digest()
        ),
        timeout=WAIT_MS,
    )


def test_a_model_that_cannot_be_used_is_said_over_the_picture_with_a_way_out(
    qtbot, window: MainWindow, tmp_path: Path
) -> None:
    window.models.use(tmp_path / "gone.onnx")
    open_and_wait(qtbot, window, PHOTO)
    banner = window.banner
    assert banner.isVisible()
    assert "model cannot be used" in banner.title.text()
    assert "gone.onnx" in banner.words.text()
    assert banner.remedy.isVisible()
    window.choose("language", "ro")
    assert "Modelul" in banner.title.text()
    light = banner.palette().color(QPalette.ColorRole.Window)
    window.choose("theme", "dark")
    assert banner.palette().color(QPalette.ColorRole.Window).lightness() < light.lightness()
    window.choose("theme", "light")
    banner.remedy.click()
    wait_faces(qtbot, window, 1)
    assert not banner.isVisible()


def test_files_are_dropped(qtbot, window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in (PHOTO, tmp_path / "text.jpg")])
    event = QDropEvent(
        QPoint(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0)
    )
    window.dropEvent(event)
    qtbot.waitUntil(lambda: window.browser.list.count() == 2, timeout=WAIT_MS)
    wait_idle(qtbot, window)
    assert "faces: 1" in window.browser.list.item(0).text()
    assert "cannot be read" in window.browser.list.item(1).text()
    window.browser.list.setCurrentRow(1)
    assert "text.jpg" in window.browser.view.hint
    assert not window.browser.view.has_picture


def test_a_picture_is_pasted(qtbot, window: MainWindow) -> None:
    QApplication.clipboard().clear()
    window.paste()
    assert "no picture" in window.message.text()
    QApplication.clipboard().setImage(QImage(str(PHOTO)))
    window.paste()
    wait_faces(qtbot, window, 1)
    assert window.browser.list.item(0).text().startswith("pasted-")
    wait_idle(qtbot, window)
    QApplication.clipboard().clear()


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_results_are_exported(qtbot, window: MainWindow, tmp_path: Path, suffix: str) -> None:
    assert window.dialogs.export() is None
    assert "nothing to export" in window.message.text()
    open_and_wait(qtbot, window, PHOTO)
    target = tmp_path / f"out.{suffix}"
    choose(window.dialogs.export(), target)
    wait_idle(qtbot, window)
    assert str(target) in window.message.text()
    if suffix == "csv":
        assert len(list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))) == 1
    else:
        assert "eileen-collins" in json.dumps(json.loads(target.read_text(encoding="utf-8")))


def test_an_annotated_photo_is_saved_but_never_over_the_photo(
    qtbot, window: MainWindow, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO.read_bytes())
    open_and_wait(qtbot, window, photo)
    choose(window.dialogs.annotate(), tmp_path / "drawn.png")
    wait_idle(qtbot, window)
    assert images.load(tmp_path / "drawn.png").shape == images.load(photo).shape
    choose(window.dialogs.annotate(), photo)
    wait_idle(qtbot, window)
    assert "is the photo itself" in window.message.text()
    assert "is the photo itself" in window.banner.words.text()
    assert not window.banner.remedy.isVisible()
    window.banner.dismiss.click()
    assert not window.banner.isVisible()
    assert photo.read_bytes() == PHOTO.read_bytes()


def test_a_film_is_read_scrubbed_played_and_exported(qtbot, window: MainWindow, tmp_path: Path) -> None:
    open_and_wait(qtbot, window, small_film(tmp_path))
    wait_faces(qtbot, window, 1)
    browser = window.browser
    assert browser.timeline.isVisible()
    assert "persons: 1" in browser.list.item(0).text()
    assert len(browser.entry.frames.times) == 30

    browser.timeline.sought.emit(1.02)
    assert browser.time_s == pytest.approx(1.0)
    assert browser.timeline.time_s == pytest.approx(1.0)
    qtbot.keyClick(browser.timeline, Qt.Key.Key_Right)
    assert browser.time_s == pytest.approx(1 / 12 + 1, abs=0.002)
    qtbot.keyClick(browser.timeline, Qt.Key.Key_Home)
    assert browser.time_s == 0

    browser.play()
    qtbot.waitUntil(lambda: browser.time_s > 0.5, timeout=WAIT_MS)
    browser.play()
    assert not browser.plays

    for name in ("film.csv", "film.json", "film.srt", "seen.mp4"):
        dialog = window.dialogs.annotate() if name == "seen.mp4" else window.dialogs.export()
        choose(dialog, tmp_path / name.replace("film", "o"))
        wait_idle(qtbot, window)
    assert len(list(csv.DictReader((tmp_path / "o.csv").read_text(encoding="utf-8").splitlines()))) == 30
    assert json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["frames"] == 30
    assert "-->" in (tmp_path / "o.srt").read_text(encoding="utf-8")
    assert len(list(Film(tmp_path / "seen.mp4"))) == 30


def test_events_are_marked_explained_and_reached_by_keys(qtbot, window: MainWindow, tmp_path: Path) -> None:
    open_and_wait(qtbot, window, small_film(tmp_path))
    browser, line = window.browser, window.browser.timeline
    film = film_with_events(browser.entry.film)
    browser.take(Outcome(browser.entry.item, film=film))
    assert [event.label for event in line.events] == ["happy", "surprise", "sad"]
    assert browser.legend.isVisible()
    assert "event: onset, apex, offset" in browser.legend.accessibleName()
    assert browser.legend.accessibleName().startswith("happy, sad, surprise, uncertain"), "in card order"
    assert "onset 0.25 s, apex 0.50 s (90%), offset 0.75 s" in line.tip(0.6, 1.5)
    assert "happy: 0.00 s to 1.00 s, confidence 80%" in line.tip(0.6, 1.5)
    assert "#0" not in line.tip(0.6, 0.5), "it is someone else's"
    assert line.tip(0.6, 2.5) == line.tip(0.6, -0.5) == ""

    reached = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        qtbot.keyClick(line, key)
        reached.append((round(browser.time_s, 2), window.message.text().partition(":")[0]))
    at_once = [(0.5, "Event of #0, happy"), (0.5, "Event of #1, surprise"), (1.5, "Event of #0, sad")]
    assert reached[:3] == at_once
    assert reached[3] == (1.5, "There is no other event in this direction.")
    assert reached[4] == at_once[1]
    window.actions_.by_name["vi"].trigger()
    window.actions_.by_name["previous_event"].trigger()
    assert "khởi đầu 0,25 s" in window.message.text()
    assert "khởi đầu" in line.tip(0.6, 1.5)


def test_long_work_is_cancelled_and_what_was_read_stays(qtbot, window: MainWindow, tmp_path: Path) -> None:
    window.open_paths([small_film(tmp_path, frames=400)])
    qtbot.waitUntil(
        lambda: window.browser.entry is not None and bool(window.browser.entry.frames.times), timeout=WAIT_MS
    )
    assert window.cancel_button.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    wait_idle(qtbot, window)
    assert "Cancelled" in window.message.text()
    film = window.browser.entry.film
    assert film is not None
    assert not film.complete
    assert 0 < film.frames < 400
    assert not window.cancel_button.isVisible()


def test_the_window_lives_while_a_film_is_read(qtbot, window: MainWindow, tmp_path: Path) -> None:
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start(5)
    open_and_wait(qtbot, window, small_film(tmp_path, frames=200))
    timer.stop()
    assert len(beats) > 5, "the window had no time at all"


def test_faces_are_saved_listed_and_deleted(qtbot, window: MainWindow) -> None:
    window.dialogs.keep_face()
    assert "no face to save" in window.message.text()
    open_and_wait(qtbot, window, PHOTO)
    wait_faces(qtbot, window, 1)
    window.dialogs.keep_face()
    wait_idle(qtbot, window)
    assert len(window.gallery.faces()) == 1
    dialog = window.dialogs.saved_faces()
    qtbot.waitUntil(lambda: dialog.list.count() == 1, timeout=WAIT_MS)
    dialog.clear.click()
    box = dialog.findChild(QMessageBox)
    next(button for button in box.buttons() if button.text() == "&Delete").click()
    qtbot.waitUntil(lambda: window.gallery.faces() == [], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "No saved faces" in dialog.summary.text(), timeout=WAIT_MS)
    dialog.accept()


def test_language_and_theme_switch_at_once_and_are_remembered(
    qtbot, window: MainWindow, tmp_path: Path
) -> None:
    open_and_wait(qtbot, window, PHOTO)
    wait_faces(qtbot, window, 1)
    by_name = window.actions_.by_name
    by_name["vi"].trigger()
    assert "khuôn mặt: 1" in window.browser.list.item(0).text()
    assert "Vui vẻ" in window.browser.panel.bars.words()
    by_name["ro"].trigger()
    assert by_name["export"].text() == "E&xportă rezultatele …"
    by_name["light"].trigger()
    light = QApplication.palette().color(QPalette.ColorRole.Window).lightness()
    by_name["dark"].trigger()
    assert QApplication.palette().color(QPalette.ColorRole.Window).lightness() < light
    window.browser.panel.median.setCurrentIndex(1)
    window.cancel()
    window.close()
    window.join()

    again = make_window(tmp_path)
    qtbot.addWidget(again)
    assert (again.language, again.settings.theme, again.browser.options.median) == ("ro", "dark", 3)
    again.choose("theme", "light")
    again.close()
    again.join()


def test_the_camera_is_shown_and_closed(qtbot, tmp_path: Path) -> None:
    window = make_window(tmp_path, camera=str(small_film(tmp_path, frames=200)))
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    qtbot.keyClick(window, Qt.Key.Key_F9)
    qtbot.waitUntil(
        lambda: window.camera.panel is not None and bool(window.camera.panel.view.faces), timeout=WAIT_MS
    )
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: len(window.gallery.faces()) == 1, timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_F9)
    assert window.camera.panel is None
    assert window.pages.currentWidget() is window.browser
    window.close()
    window.join()


def test_a_camera_that_is_not_there_is_said(qtbot, tmp_path: Path) -> None:
    window = make_window(tmp_path, camera="950")
    qtbot.addWidget(window)
    window.toggle_camera()
    qtbot.waitUntil(lambda: "950" in window.message.text(), timeout=WAIT_MS)
    assert not window.camera.is_on
    assert "camera cannot be opened" in window.banner.title.text()
    assert "--camera FILE" in window.banner.words.text()
    assert "--source" not in window.banner.words.text()
    window.choose("language", "vi")
    assert window.banner.words.text().startswith("không mở được máy quay 950")
    window.choose("language", "en")
    window.close()
    window.join()

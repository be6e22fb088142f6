"""Qt's own dialogs speak the language of the window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from desktop_support import PHOTO, make_window, open_and_wait
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel, QLineEdit, QWidget

from mien.desktop._qt_text_table import CONTEXTS, QT_TEXTS
from mien.desktop.main_window import MainWindow

_KEYS = re.compile(r"(Alt|Ctrl|Shift)\+\w+|QT_LAYOUT_DIRECTION")


class Recorder(QTranslator):
    """Hears what Qt asks for after the translator of the window did not know it."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown: set[str] = set()

    def isEmpty(self) -> bool:  # noqa: N802
        return False

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        if context in CONTEXTS and not _KEYS.fullmatch(source):
            self.unknown.add(source)
        return None  # type: ignore[return-value]


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    made = make_window(tmp_path)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.choose("language", "en")
    made.close()
    made.join()


def words(dialog: QWidget) -> set[str]:
    kinds = (QAbstractButton, QLabel)
    widgets = [one for kind in kinds for one in dialog.findChildren(kind) if one.isVisible()]
    told = {one.toolTip() for one in widgets} | {one.text() for one in widgets}
    return {one for one in told if one}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("vi", {"&Tìm trong:", "Tê&n tệp:", "&Loại tệp:", "Hủy", "Lùi"}),
        ("ro", {"&Caută în:", "&Nume de fișier:", "&Tip de fișier:", "Anulează", "Înapoi"}),
    ],
)
def test_every_text_of_the_file_dialogs_is_translated(
    qtbot, window: MainWindow, language: str, expected: set[str]
) -> None:
    open_and_wait(qtbot, window, PHOTO)
    recorder = Recorder()
    QApplication.instance().installTranslator(recorder)
    window.choose("language", language)
    line = QLineEdit()
    menu = [action.text() for action in line.createStandardContextMenu().actions()]
    dialogs = (window.dialogs.open_files(), window.dialogs.open_folder(), window.dialogs.export())
    seen = set()
    for dialog in dialogs:
        for mode in QFileDialog.ViewMode:
            dialog.setViewMode(mode)
            QApplication.processEvents()
        seen |= words(dialog)
        dialog.close()
    QApplication.instance().removeTranslator(recorder)
    assert expected <= seen
    assert not seen & set(QT_TEXTS), "still in English"
    assert not recorder.unknown
    assert "Delete" not in menu


def test_another_language_takes_the_place_of_the_one_before(qtbot, window: MainWindow) -> None:
    for language, name in (("vi", "Hủy"), ("ro", "Anulează"), ("en", "Cancel")):
        window.choose("language", language)
        dialog = window.dialogs.open_files()
        assert name in words(dialog)
        dialog.close()


@pytest.mark.parametrize("source", QT_TEXTS)
def test_a_text_of_qt_keeps_its_places_and_has_one_letter(source: str) -> None:
    for translated in QT_TEXTS[source]:
        assert re.findall(r"%\d", translated) == re.findall(r"%\d", source)
        assert translated.count("&") == source.count("&")
        assert translated != source or source == "Alias"

"""Which camera is opened: one that answers, a network camera, or a film in a camera's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QWidget,
)

from mien.core.formats import FILM_EXTENSIONS
from mien.desktop.controls import LineEdit, file_dialog
from mien.desktop.jobs import Work
from mien.desktop.texts import text
from mien.video.cameras import FoundCamera, find_cameras

Find = Callable[[Callable[[], bool]], Iterator[FoundCamera]]
"""Yields the cameras that answer until it is cancelled."""


class CameraChooser(QDialog):
    """Lists the cameras that answer as they are found; the search runs beside the window.

    Signals:
        chosen: the number of a camera, an address or a path, as `mien live --source` takes it.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None, find: Find | None = None) -> None:
        super().__init__(parent)
        self._find = find or (lambda is_cancelled: find_cameras(is_cancelled=is_cancelled))
        self._work: Work | None = None
        self._looks_again = False
        self._in_use, self._source = "", "0"
        self.language = "en"
        self.list = QListWidget()
        self.place = LineEdit()
        self.place.setClearButtonEnabled(True)
        self.state, self.list_label, self.place_label, self.note = (QLabel() for _ in range(4))
        self.look_button, self.browse_button, self.open_button, self.close_button = (
            QPushButton() for _ in range(4)
        )
        self._lay_out()
        self.list.itemActivated.connect(lambda _: self.accept())
        self.list.itemSelectionChanged.connect(self._selected)
        self.place.textChanged.connect(self._typed)
        self.look_button.clicked.connect(self.look)
        self.browse_button.clicked.connect(self.browse)
        self.open_button.clicked.connect(self.accept)
        self.close_button.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        self.list_label.setBuddy(self.list)
        self.place_label.setBuddy(self.place)
        for label in (self.place_label, self.note, self.state):
            label.setWordWrap(True)
        self.open_button.setDefault(True)
        for button in (self.look_button, self.browse_button):
            button.setAutoDefault(False)
        grid = QGridLayout(self)
        grid.addWidget(self.list_label, 0, 0, 1, 3)
        grid.addWidget(self.list, 1, 0, 1, 3)
        grid.addWidget(self.state, 2, 0, 1, 2)
        grid.addWidget(self.look_button, 2, 2)
        grid.addWidget(self.place_label, 3, 0, 1, 3)
        grid.addWidget(self.place, 4, 0, 1, 2)
        grid.addWidget(self.browse_button, 4, 2)
        grid.addWidget(self.note, 5, 0, 1, 3)
        grid.addWidget(self.open_button, 6, 1)
        grid.addWidget(self.close_button, 6, 2)
        grid.setColumnStretch(0, 1)
        self.resize(460, 380)

    def ask(self, source: str, in_use: str, language: str) -> None:
        """Show what there is, `source` chosen.

        Args:
            source: that is opened without a choice.
            in_use: the source that is open now, which cannot be opened to try it; "" for none.
            language: "en", "vi" or "ro".
        """
        self._source, self._in_use, self.language = source, in_use, language
        self.retranslate(language)
        self.place.setText("" if source.isdecimal() else source)
        self.look()
        self.open()

    def retranslate(self, language: str) -> None:
        """Show every text in another language."""
        self.language = language
        self.setWindowTitle(text("choose_camera", language).replace("&", "").rstrip(" …"))
        for widget, key in (
            (self.list_label, "cameras_found"),
            (self.place_label, "camera_place"),
            (self.note, "password_note"),
            (self.look_button, "look_again"),
            (self.browse_button, "browse"),
            (self.open_button, "open_camera"),
            (self.close_button, "close"),
        ):
            widget.setText(text(key, language))
        self._say_state()

    def look(self) -> None:
        """Look for cameras anew."""
        if self._work is not None:  # the search before has to let go of its camera first
            self._looks_again = True
            self._work.cancel()
            return
        self.list.clear()
        if self._in_use.isdecimal():
            self._add(self._in_use, text("camera_in_use", self.language, number=self._in_use))
        self._work = Work(self._search)
        self._work.found.connect(self._take)
        self._work.finished.connect(self._done)
        self._work.start()
        self._say_state()

    def browse(self) -> QFileDialog:
        """Ask for a film in a camera's place."""
        dialog = file_dialog(self, text("browse", self.language).replace("&", "").rstrip(" …"))
        known = " ".join(f"*{suffix}" for suffix in sorted(FILM_EXTENSIONS))
        dialog.setNameFilters([f"Mien ({known})", "* (*)"])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.filesSelected.connect(lambda names: self.place.setText(names[0]))
        dialog.open()
        return dialog

    def accept(self) -> None:
        """Tell what was chosen, and close."""
        typed = self.place.text().strip()
        picked = [str(item.data(Qt.ItemDataRole.UserRole)) for item in self.list.selectedItems()]
        if not typed and not picked:
            return
        source = typed or picked[0]
        super().accept()
        self.chosen.emit(source)

    def done(self, result: int) -> None:
        """Close, and search no more."""
        self._looks_again = False
        if self._work is not None:
            self._work.cancel()
        super().done(result)

    def join(self, timeout: float) -> None:
        """Wait for the search."""
        if self._work is not None:
            self._work.join(timeout)

    def _search(self, work: Work) -> None:
        for camera in self._find(work.is_cancelled):
            work.found.emit(camera)

    def _take(self, camera: FoundCamera) -> None:
        if str(camera.number) == self._in_use:
            return
        words = text(
            "camera_row",
            self.language,
            number=camera.number,
            name=camera.name or "–",
            width=camera.width,
            height=camera.height,
        )
        self._add(str(camera.number), words)

    def _add(self, source: str, words: str) -> None:
        item = QListWidgetItem(words)
        item.setData(Qt.ItemDataRole.UserRole, source)
        self.list.addItem(item)
        if not self.place.text() and (source == self._source or not self.list.selectedItems()):
            self.list.setCurrentItem(item)
        self._enable()

    def _done(self) -> None:
        self._work = None
        if self._looks_again:
            self._looks_again = False
            self.look()
        self._say_state()

    def _say_state(self) -> None:
        key = "looking" if self._work is not None else "" if self.list.count() else "no_camera"
        self.state.setText(text(key, self.language) if key else "")
        self._enable()

    def _selected(self) -> None:
        if self.list.selectedItems() and self.place.text():
            self.place.clear()
        self._enable()

    def _typed(self, words: str) -> None:
        if words.strip():
            self.list.clearSelection()
        self._enable()

    def _enable(self) -> None:
        # What is current but not selected is only where the focus went.
        self.open_button.setEnabled(bool(self.place.text().strip() or self.list.selectedItems()))

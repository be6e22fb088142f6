"""The faces that were saved: seen, deleted one by one or all; asked first."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mien.core import images
from mien.core.emotions import display_name
from mien.core.errors import ImageError
from mien.core.files import shown
from mien.desktop.jobs import Work
from mien.desktop.picture_view import to_image
from mien.desktop.problems import problem_text
from mien.desktop.questions import ask
from mien.desktop.texts import text
from mien.gallery import Gallery

_SIDE = 96
_MOST = 300


@dataclass(frozen=True)
class _Listed:
    name: str
    emotion: str | None
    confidence: float
    image: QImage


@dataclass(frozen=True)
class _Count:
    count: int


class SavedFaces(QDialog):
    """Shows the newest faces of a gallery; reading and deleting happen beside the window."""

    def __init__(self, gallery: Gallery, language: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.gallery, self.language = gallery, language
        self._works: list[Work] = []
        self.setWindowTitle(text("saved_faces", language).replace("&", "").rstrip(" …"))
        self.resize(640, 480)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.list = QListWidget()
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setIconSize(QSize(_SIDE, _SIDE))
        self.list.setGridSize(QSize(_SIDE + 40, _SIDE + 40))
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.delete = QPushButton(text("delete_selected", language))
        self.clear = QPushButton(text("clear_all", language))
        folder = QPushButton(text("show_folder", language))
        close = QPushButton(text("close", language))
        row = QHBoxLayout()
        for button in (self.delete, self.clear, folder, close):
            button.setAutoDefault(False)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.addWidget(self.summary)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self.delete.clicked.connect(self._delete_selected)
        self.clear.clicked.connect(self._ask_clear)
        folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(gallery.folder))))
        close.clicked.connect(self.accept)
        self.reload()

    def reload(self) -> None:
        """Show what is saved now."""
        self.list.clear()
        self._start(self._read)

    def _start(self, action: object) -> None:
        work = Work(action)  # type: ignore[arg-type]
        work.found.connect(self._take)
        work.failed.connect(lambda error: self.summary.setText(problem_text(error, self.language)))
        self._works.append(work)
        work.start()

    def done(self, result: int) -> None:
        for work in self._works:
            work.cancel()
        super().done(result)

    def _read(self, work: Work) -> None:
        exists = self.gallery.folder.is_dir()
        faces = list(self.gallery.faces()) if exists else []
        work.found.emit(_Count(len(faces)))
        for face in sorted(faces, key=lambda one: one.saved, reverse=True)[:_MOST]:
            if work.is_cancelled():
                return
            try:
                pixels = images.load(face.path)
            except ImageError:
                continue  # deleted or damaged meanwhile
            small = cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
            picture = to_image(np.asarray(small, np.uint8))
            work.found.emit(_Listed(face.name, face.emotion, face.confidence, picture))

    def _take(self, thing: object) -> None:
        if isinstance(thing, _Count):
            key = "count_saved" if thing.count else "no_saved"
            self.summary.setText(
                text(key, self.language, count=thing.count, folder=shown(self.gallery.folder))
            )
            self.clear.setEnabled(thing.count > 0)
            self.delete.setEnabled(thing.count > 0)
        elif isinstance(thing, _Listed):
            words = f"{display_name(thing.emotion, self.language)} {thing.confidence:.0%}"
            item = QListWidgetItem(QIcon(QPixmap.fromImage(thing.image)), words)
            item.setData(Qt.ItemDataRole.UserRole, thing.name)
            item.setToolTip(thing.name)
            self.list.addItem(item)
        elif thing == "changed":
            self.reload()

    def _delete_selected(self) -> None:
        names = [item.data(Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]
        if names:
            self._change(lambda: self.gallery.delete(names))

    def _ask_clear(self) -> None:
        question = text("ask_clear", self.language, folder=shown(self.gallery.folder))
        ask(self, "clear_title", question, lambda: self._change(self.gallery.clear), self.language)

    def _change(self, action: object) -> None:
        def change(work: Work) -> None:
            action()  # type: ignore[operator]
            work.found.emit("changed")

        self._start(change)

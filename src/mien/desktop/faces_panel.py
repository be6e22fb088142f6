"""Beside the picture: a table of its faces, the bars of one, and what the filters do to it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mien.core.results import Face
from mien.desktop.bars import Bars
from mien.desktop.controls import CheckBox
from mien.desktop.texts import emotion_text, text

_COLUMNS = ("column_face", "column_emotion", "column_confidence", "column_size")
_MEDIANS = (0, 3, 5, 7, 9)
_SIDE = 80
_PREVIEWS = ("before", "after", "edges")


class FacesPanel(QWidget):
    """Shows the faces of one picture; a row that is chosen is told with `selected`."""

    selected = Signal(int)
    filters_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.language = "en"
        self.faces: tuple[Face, ...] = ()
        self.current = 0
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.bars = Bars()
        self.clahe = CheckBox()
        self.median_label = QLabel()
        self.median = QComboBox()
        for size in _MEDIANS:
            self.median.addItem(f"{size} × {size}", size)
        self.median_label.setBuddy(self.median)
        self.previews = {name: QLabel() for name in _PREVIEWS}
        self.captions = {name: QLabel() for name in _PREVIEWS}
        self.filters = QGroupBox()
        self._lay_out()
        self.table.currentCellChanged.connect(self._row_chosen)
        self.clahe.toggled.connect(self.filters_changed)
        self.median.currentIndexChanged.connect(self.filters_changed)

    def _lay_out(self) -> None:
        grid = QGridLayout(self.filters)
        grid.addWidget(self.clahe, 0, 0, 1, 3)
        grid.addWidget(self.median_label, 1, 0, 1, 2)
        grid.addWidget(self.median, 1, 2)
        for column, name in enumerate(_PREVIEWS):
            self.previews[name].setFixedSize(_SIDE, _SIDE)
            self.previews[name].setScaledContents(True)
            self.previews[name].setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(self.previews[name], 2, column, Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(self.captions[name], 3, column, Qt.AlignmentFlag.AlignCenter)
        column_box = QVBoxLayout(self)
        column_box.setContentsMargins(0, 0, 0, 0)
        column_box.addWidget(self.table, 1)
        column_box.addWidget(self.bars)
        column_box.addWidget(self.filters)

    def retranslate(self, language: str) -> None:
        """Show every text in another language."""
        self.language = language
        self.table.setHorizontalHeaderLabels([text(key, language) for key in _COLUMNS])
        self.table.setAccessibleName(text("faces", language))
        self.filters.setTitle(text("filters", language))
        self.clahe.setText(text("clahe", language))
        self.median_label.setText(text("median", language))
        self.median.setItemText(0, text("off", language))
        for name in _PREVIEWS:
            self.captions[name].setText(text(name, language))
        self.show_faces(self.faces, self.current)

    def show_faces(self, faces: Sequence[Face], current: int = 0) -> None:
        """Show the faces of a picture."""
        self.faces = tuple(faces)
        self.current = min(max(0, current), max(0, len(self.faces) - 1))
        self.table.blockSignals(True)
        self.table.setRowCount(len(self.faces))
        for row, face in enumerate(self.faces):
            number = row + 1 if face.track_id is None else face.track_id
            cells = (
                f"{'' if face.track_id is None else '#'}{number}",
                emotion_text(face.emotion, face.top, self.language),
                f"{face.confidence:.0%}",
                f"{face.box.width}×{face.box.height}",
            )
            for column, words in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(words))
        if self.faces:
            self.table.selectRow(self.current)
        self.table.blockSignals(False)
        self.bars.show_face(self.faces[self.current] if self.faces else None, self.language)

    def show_preview(self, previews: tuple[QImage, QImage, QImage] | None) -> None:
        """Show a face before the filters, after them, and its edges."""
        for place, name in enumerate(_PREVIEWS):
            self.previews[name].setPixmap(
                QPixmap() if previews is None else QPixmap.fromImage(previews[place])
            )

    def set_filters(self, *, clahe: bool, median: int) -> None:
        """Put the filters to what they are, without telling of it."""
        for widget in (self.clahe, self.median):
            widget.blockSignals(True)
        self.clahe.setChecked(clahe)
        self.median.setCurrentIndex(max(0, self.median.findData(median)))
        for widget in (self.clahe, self.median):
            widget.blockSignals(False)

    def _row_chosen(self, row: int, *_: int) -> None:
        if 0 <= row < len(self.faces):
            self.current = row
            self.bars.show_face(self.faces[row], self.language)
            self.selected.emit(row)

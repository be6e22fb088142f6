"""Bars: the score of every emotion of one face."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from mien.core.colours import emotion_colour
from mien.core.emotions import display_name
from mien.core.results import Face
from mien.desktop.texts import emotion_text

_PAD = 6


class Bars(QWidget):
    """One bar an emotion with its score in per cent, and above them what the face is read as."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.face: Face | None = None
        self.language = "en"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_face(self, face: Face | None, language: str) -> None:
        """Show the scores of a face; nothing for None."""
        changed = (len(face.scores) if face else 0) != (len(self.face.scores) if self.face else 0)
        self.face, self.language = face, language
        self.setAccessibleName(self.words())
        if changed:
            self.updateGeometry()
        self.update()

    def words(self) -> str:
        """Return what is shown as text, as screen readers say it."""
        if self.face is None:
            return ""
        scores = self.face.scores.items()
        return ", ".join(f"{display_name(label, self.language)} {score:.0%}" for label, score in scores)

    def sizeHint(self) -> QSize:
        return QSize(260, self._row() * (8 if self.face is None else len(self.face.scores) + 1) + _PAD)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def _row(self) -> int:
        return self.fontMetrics().height() + _PAD

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.face is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, row = self.fontMetrics(), self._row()
        ink = self.palette().windowText().color()
        names = {label: display_name(label, self.language) for label in self.face.scores}
        left = max(metrics.horizontalAdvance(name) for name in names.values()) + 2 * _PAD
        right = metrics.horizontalAdvance("100 %") + _PAD
        room = max(20, self.width() - left - right - _PAD)
        number = "" if self.face.track_id is None else f"#{self.face.track_id}  "
        title = f"{number}{emotion_text(self.face.emotion, self.face.top, self.language)}"
        painter.setPen(ink)
        bold = painter.font()
        bold.setBold(True)
        plain = painter.font()
        painter.setFont(bold)
        painter.drawText(QRectF(_PAD, 0, self.width(), row), Qt.AlignmentFlag.AlignVCenter, title)
        painter.setFont(plain)
        for place, (label, score) in enumerate(self.face.scores.items(), start=1):
            top = place * row
            painter.setPen(ink)
            painter.drawText(QRectF(_PAD, top, left, row), Qt.AlignmentFlag.AlignVCenter, names[label])
            track = QRectF(left, top + 4, room, row - 8)
            painter.fillRect(track, self.palette().alternateBase())
            bar = QRectF(left, top + 4, max(1.0, room * score), row - 8)
            painter.fillRect(bar, QColor(*emotion_colour(label)))
            painter.setPen(QPen(self.palette().mid().color(), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(track)
            painter.setPen(ink)
            place_right = QRectF(left + room, top, right, row)
            painter.drawText(
                place_right, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{score:.0%}"
            )
        painter.end()

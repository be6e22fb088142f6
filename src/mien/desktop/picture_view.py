"""A picture with the boxes and labels of its faces, one of which is selected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from mien.core.colours import emotion_colour, ink_on
from mien.core.results import Face
from mien.desktop.texts import emotion_text

_MARGIN = 4


def to_image(pixels: NDArray[np.uint8]) -> QImage:
    """Return RGB uint8 (H, W, 3) or grey (H, W) as a picture of Qt, which has its own copy."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_Grayscale8 if pixels.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, pixels.strides[0], form).copy()


class PictureView(QWidget):
    """Shows a picture as large as there is room; arrow keys and clicks select a face."""

    selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 150)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.language = "en"
        self.hint = ""
        self.faces: tuple[Face, ...] = ()
        self.current = 0
        self._image = QImage()
        self._width = 1

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    @property
    def has_picture(self) -> bool:
        """There is a picture to see."""
        return not self._image.isNull()

    def show_picture(self, image: QImage, faces: Sequence[Face] = (), width: int | None = None) -> None:
        """Show a picture and its faces, whose boxes are of a picture `width` pixels wide."""
        self._image = image
        self._width = width or max(1, image.width())
        self.show_faces(faces)

    def show_faces(self, faces: Sequence[Face], current: int | None = None) -> None:
        """Show other faces on the same picture."""
        self.faces = tuple(faces)
        wanted = self.current if current is None else current
        self.current = min(wanted, max(0, len(self.faces) - 1))
        self.update()

    def set_hint(self, hint: str) -> None:
        """Say what to do, or what is wrong, where there is no picture."""
        self.hint = hint
        self.setAccessibleDescription(hint)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if not self.has_picture:
            painter.setPen(self.palette().placeholderText().color())
            room = self.rect().adjusted(16, 16, -16, -16)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)
        else:
            place = self._place()
            painter.drawImage(place, self._image)
            for number, face in enumerate(self.faces):
                self._draw_face(painter, place, face, is_current=number == self.current)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place()
        hits = [i for i, face in enumerate(self.faces) if self._box(place, face).contains(event.position())]
        if hits:
            self._select(hits[-1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self.faces:
            super().keyPressEvent(event)
            return
        self._select((self.current + step) % len(self.faces))

    def _select(self, number: int) -> None:
        self.current = number
        self.update()
        self.selected.emit(number)

    def _place(self) -> QRectF:
        room = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        if not self.has_picture:
            return room
        scale = min(room.width() / self._image.width(), room.height() / self._image.height())
        width, height = self._image.width() * scale, self._image.height() * scale
        return QRectF(room.center().x() - width / 2, room.center().y() - height / 2, width, height)

    def _box(self, place: QRectF, face: Face) -> QRectF:
        scale = place.width() / self._width
        box = face.box
        return QRectF(
            place.x() + box.x * scale, place.y() + box.y * scale, box.width * scale, box.height * scale
        )

    def _draw_face(self, painter: QPainter, place: QRectF, face: Face, *, is_current: bool) -> None:
        box = self._box(place, face)
        colour = QColor(*emotion_colour(face.emotion))
        line = 3 if is_current else 2
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 160), line + 2))
        painter.drawRect(box)
        painter.setPen(
            QPen(colour, line, Qt.PenStyle.SolidLine if face.emotion is not None else Qt.PenStyle.DashLine)
        )
        painter.drawRect(box)
        number = "" if face.track_id is None else f"#{face.track_id} "
        words = f"{number}{emotion_text(face.emotion, face.top, self.language)} {face.confidence:.0%}"
        size = painter.fontMetrics().boundingRect(words)
        plate = QRectF(0, 0, size.width() + 10, painter.fontMetrics().height() + 4)
        top = box.top() - plate.height() - 2
        plate.moveTopLeft(QPointF(box.left(), top if top >= 0 else box.bottom() + 2))
        plate.moveLeft(max(0.0, min(plate.left(), self.width() - plate.width())))
        plate.moveTop(max(0.0, min(plate.top(), self.height() - plate.height())))
        painter.fillRect(plate, colour)
        painter.setPen(QColor(*ink_on(emotion_colour(face.emotion))))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)

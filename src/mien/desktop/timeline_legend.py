"""What the colours and marks of the timeline mean: under it, in as many rows as they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from mien.core.colours import emotion_colour
from mien.core.emotions import display_name
from mien.core.film_results import FilmSummary
from mien.desktop.texts import text

_CHIP = 12
_MARK = 30  # width of the drawn event
_GAP, _APART = 5, 14
_SIDE = 6


@dataclass(frozen=True)
class _Entry:
    words: str
    width: int
    draw: Callable[[QPainter, QRect], None]


class TimelineLegend(QWidget):
    """Names the emotions that occur, in card order, and shows what an event looks like."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: list[str | None] = []
        self._has_events = False
        self._entries: list[_Entry] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_film(self, film: FilmSummary | None, language: str) -> None:
        """Explain the timeline of a film; None where it is not read yet."""
        persons = () if film is None else film.persons
        seen = {part.label for track in persons for part in track.segments}
        if film is not None:
            seen |= {event.label for event in film.events}
        known = () if film is None else film.head.labels
        self._labels = [label for label in (*known, None) if label in seen]
        self._has_events = film is not None and bool(film.events)
        self.retranslate(language)

    def retranslate(self, language: str) -> None:
        """Name everything in another language."""
        self._entries = [_Entry(display_name(label, language), _CHIP, _chip(label)) for label in self._labels]
        if self._has_events:
            self._entries.append(_Entry(text("event_legend", language), _MARK, _draw_event))
        self.setAccessibleName(", ".join(entry.words for entry in self._entries))
        self.setVisible(bool(self._entries))
        self._fit()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = max((row for _, _, row in self._places(width)), default=0) + 1
        return rows * self._row_height()

    def sizeHint(self) -> QSize:
        return QSize(300, self.heightForWidth(max(1, self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height = self._row_height()
        for entry, left, row in self._places(self.width()):
            mark = QRect(left, row * height + (height - _CHIP) // 2, entry.width, _CHIP)
            painter.setPen(QPen(self.palette().text().color(), 1.2))
            entry.draw(painter, mark)
            painter.setPen(self.palette().windowText().color())
            words = QRect(mark.right() + _GAP, row * height, self.width(), height)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, entry.words)
        painter.end()

    def _fit(self) -> None:
        self.setFixedHeight(self.heightForWidth(max(1, self.width())))

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 4

    def _places(self, width: int) -> Iterator[tuple[_Entry, int, int]]:
        """Yield every entry with its left edge and its row."""
        left, row = _SIDE, 0
        for entry in self._entries:
            needed = entry.width + _GAP + self.fontMetrics().horizontalAdvance(entry.words)
            if left > _SIDE and left + needed > width - _SIDE:
                left, row = _SIDE, row + 1
            yield entry, left, row
            left += needed + _APART


def _chip(label: str | None) -> Callable[[QPainter, QRect], None]:
    def draw(painter: QPainter, place: QRect) -> None:
        painter.setBrush(QColor(*emotion_colour(label)))
        painter.drawRect(place)

    return draw


def _draw_event(painter: QPainter, place: QRect) -> None:
    """Draw a line from onset to offset with the triangle of the apex on it."""
    middle = place.center().y()
    painter.drawLine(place.left(), middle, place.right(), middle)
    for end in (place.left(), place.right()):
        painter.drawLine(end, middle - 3, end, middle + 3)
    apex = QPointF(place.center())
    painter.setBrush(painter.pen().color())
    painter.drawPolygon(
        QPolygonF([apex + QPointF(-4, -5), apex + QPointF(4, -5), apex + QPointF(0, 3)]),
    )

"""The timeline of a film: who showed what when, with a line to drag through it."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from mien.core.film_results import Event, FilmSummary, TrackSummary
from mien.desktop.texts import event_text, segment_text, text
from mien.desktop.timeline_lanes import MARK, Lanes

_MOST_LANES = 12
_LOWEST, _HIGHEST, _AROUND, _LANE = 104, 250, 62, 34  # pixels
_SLACK = 5  # pixels beside an event that still belong to it


class TimelineView(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """One lane a person, coloured by the stated emotion; click, drag or arrow keys choose the time.

    Over the colours every event is a line from onset to offset with a triangle, in its emotion's colour, at
    the apex. The pointer over a lane is told what is shown there.
    """

    sought = Signal(float)
    stepped = Signal(int)
    event_stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=True, y=False)
        self.setFixedHeight(_LOWEST)
        self.language = "en"
        self._end_s = 1.0
        self._drawn: Lanes | None = None
        self._lanes: list[TrackSummary] = []
        self.events: Sequence[Event] = ()
        self._current = pg.PlotDataItem()
        self._current.setZValue(-1)  # under the lanes, whose marks stay in sight
        self.addItem(self._current)
        self._line = pg.InfiniteLine(0.0, movable=True)
        self._line.setZValue(10)
        self.addItem(self._line)
        self._line.sigDragged.connect(lambda: self.sought.emit(self._inside(self._line.value())))
        self.scene().sigMouseClicked.connect(self._clicked)

    @property
    def time_s(self) -> float:
        """Where the line stands."""
        return float(self._line.value())

    def show_film(self, film: FilmSummary | None, end_s: float) -> None:
        """Show the persons of a film that ends at `end_s`; None where it is not read yet."""
        self._end_s = max(0.1, end_s)
        persons = [] if film is None else sorted(film.persons, key=lambda track: -track.presence_s)
        self._lanes = sorted(persons[:_MOST_LANES], key=lambda track: track.track_id)
        shown = {track.track_id for track in self._lanes}
        self.events = () if film is None else tuple(event for event in film.events if event.track_id in shown)
        if self._drawn is not None:
            self.removeItem(self._drawn)
        self._drawn = Lanes(self._lanes, self.events, self._end_s)
        self.addItem(self._drawn)
        self._current.setData([], [])
        count = len(self._lanes)
        self.setFixedHeight(max(_LOWEST, min(_HIGHEST, _AROUND + _LANE * count)))
        ticks = [(self._foot(track.track_id) + 0.5, f"#{track.track_id}") for track in self._lanes]
        self.getAxis("left").setTicks([ticks])
        top = max(1, count)
        self.setLimits(xMin=0, xMax=self._end_s, yMin=0, yMax=top, minXRange=min(0.2, self._end_s))
        self.setRange(xRange=(0, self._end_s), yRange=(0, top), padding=0)
        self._line.setBounds((0, self._end_s))

    def show_time(self, time_s: float) -> None:
        """Put the line at a time; nothing is told of it."""
        self._line.setValue(time_s)

    def show_event(self, event: Event | None) -> None:
        """Make one event stand out; None for none of them."""
        if event is None or event not in self.events:
            self._current.setData([], [])
            return
        head = self._foot(event.track_id) + MARK
        self._current.setData([event.onset.time_s, event.offset.time_s], [head, head])

    def restyle(self) -> None:
        """Take the colours of the palette."""
        palette = QApplication.palette()  # a widget takes it over only later
        self.setBackground(palette.base().color())
        ink = palette.text().color()
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(palette.mid().color())
            axis.setTextPen(ink)
        self._line.setPen(pg.mkPen(palette.highlight().color(), width=3))
        self._line.setHoverPen(pg.mkPen(palette.highlight().color(), width=5))
        self._current.setPen(pg.mkPen(palette.highlight().color(), width=5))
        if self._drawn is not None:
            self._drawn.update()

    def retranslate(self, language: str) -> None:
        """Name the axis of time, and what the pointer is told, in another language."""
        self.language = language
        self.setLabel("bottom", text("seconds", language))

    def tip(self, time_s: float, height: float, slack_s: float = 0.0) -> str:
        """Return what is shown at a time and a height in the plot, a line each; "" where nothing is."""
        place = len(self._lanes) - 1 - int(height)
        if height < 0 or not 0 <= place < len(self._lanes):
            return ""
        track = self._lanes[place]
        lines = [
            segment_text(track.track_id, part, self.language)
            for part in track.segments
            if part.start.time_s <= time_s < part.end_s
        ]
        lines += [
            event_text(event, self.language)
            for event in self.events
            if event.track_id == track.track_id
            and event.onset.time_s - slack_s <= time_s <= event.offset.time_s + slack_s
        ]
        return "\n".join(lines)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            box = self.getViewBox()
            place = box.mapSceneToView(self.mapToScene(event.pos()))
            slack = _SLACK * float(box.viewPixelSize()[0])
            inside = box.sceneBoundingRect().contains(self.mapToScene(QPoint(event.pos())))
            words = self.tip(place.x(), place.y(), slack) if inside else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return bool(super().viewportEvent(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -25, Qt.Key.Key_PageDown: 25}
        events = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in steps:
            self.stepped.emit(steps[key])
        elif key in events:
            self.event_stepped.emit(events[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.sought.emit(0.0 if key == Qt.Key.Key_Home else self._inside(self._end_s))
        else:
            QWidget.keyPressEvent(self, event)

    def _foot(self, track_id: int) -> int:
        """Return where the lane of a person begins, from below."""
        place = next(place for place, track in enumerate(self._lanes) if track.track_id == track_id)
        return len(self._lanes) - 1 - place

    def _clicked(self, event: object) -> None:
        place = self.getViewBox().mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        self.sought.emit(self._inside(place.x()))

    def _inside(self, time_s: float) -> float:
        return min(max(0.0, float(time_s)), self._end_s)

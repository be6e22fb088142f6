"""The timeline of a film: who showed what when, with a line to drag through it."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from mien.core.colours import emotion_colour
from mien.core.film_results import FilmSummary

_MOST_LANES = 12


class TimelineView(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """One lane a person, coloured by the stated emotion; click, drag or arrow keys choose the time."""

    sought = Signal(float)
    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=True, y=False)
        self.setFixedHeight(130)
        self._end_s = 1.0
        self._bars: list[pg.BarGraphItem] = []
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
        for bars in self._bars:
            self.removeItem(bars)
        self._bars.clear()
        self._end_s = max(0.1, end_s)
        persons = [] if film is None else sorted(film.persons, key=lambda track: -track.presence_s)
        persons = sorted(persons[:_MOST_LANES], key=lambda track: track.track_id)
        for lane, track in enumerate(persons):
            y = len(persons) - 1 - lane
            brushes = [QColor(*emotion_colour(part.label)) for part in track.segments]
            bars = pg.BarGraphItem(
                x0=[part.start.time_s for part in track.segments],
                x1=[part.end_s for part in track.segments],
                y0=[y + 0.1] * len(brushes),
                y1=[y + 0.9] * len(brushes),
                brushes=brushes,
                pens=[pg.mkPen(90, 90, 90)] * len(brushes),
            )
            self.addItem(bars)
            self._bars.append(bars)
        ticks = [(len(persons) - 0.5 - lane, f"#{track.track_id}") for lane, track in enumerate(persons)]
        self.getAxis("left").setTicks([ticks])
        top = max(1, len(persons))
        self.setLimits(xMin=0, xMax=self._end_s, yMin=0, yMax=top, minXRange=min(0.2, self._end_s))
        self.setRange(xRange=(0, self._end_s), yRange=(0, top), padding=0)
        self._line.setBounds((0, self._end_s))

    def show_time(self, time_s: float) -> None:
        """Put the line at a time; nothing is told of it."""
        self._line.setValue(time_s)

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

    def set_unit(self, unit: str) -> None:
        """Name the axis of time."""
        self.setLabel("bottom", unit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -25, Qt.Key.Key_PageDown: 25}
        key = Qt.Key(event.key())
        if key in steps:
            self.stepped.emit(steps[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.sought.emit(0.0 if key == Qt.Key.Key_Home else self._inside(self._end_s))
        else:
            QWidget.keyPressEvent(self, event)

    def _clicked(self, event: object) -> None:
        place = self.getViewBox().mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        self.sought.emit(self._inside(place.x()))

    def _inside(self, time_s: float) -> float:
        return min(max(0.0, float(time_s)), self._end_s)

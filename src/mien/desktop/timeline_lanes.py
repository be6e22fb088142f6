"""Draws the lanes of a timeline: only what is in sight, and no more of it than there are pixels.

A film of two hours may have ten thousand segments; an object of Qt for each would hold up the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication, QStyleOptionGraphicsItem, QWidget

from mien.core.colours import emotion_colour
from mien.core.film_results import Event, TrackSummary

MARK = 0.8
"""Where the events of a lane stand, from its foot."""
_BAR = (0.06, 0.56)  # foot and height, of a lane
_TICK = 0.09
_EDGED = 300  # as many bars are told apart by an edge
_ROOM = 14  # pixels that an event needs to be told from the next
_APEX = (5.0, 5.0)  # half its width and its height, in pixels

_Numbers = NDArray[np.float64]


class _Lane:
    """One person's segments and events, as arrays."""

    def __init__(self, track: TrackSummary, events: Sequence[Event], colours: dict[str | None, int]) -> None:
        parts = track.segments
        self.starts = np.array([part.start.time_s for part in parts])
        self.ends = np.array([part.end_s for part in parts])
        self.colours = np.array([colours.setdefault(part.label, len(colours)) for part in parts])
        own = sorted((event for event in events if event.track_id == track.track_id), key=_apex_s)
        self.onsets = np.array([event.onset.time_s for event in own])
        self.apexes = np.array([event.apex.time_s for event in own])
        self.offsets = np.array([event.offset.time_s for event in own])
        self.marks = np.array([colours.setdefault(event.label, len(colours)) for event in own], np.int64)

    def bars(self, left: float, right: float, pixel: float) -> tuple[_Numbers, _Numbers, NDArray[np.int64]]:
        """Return starts, ends and colours of what is in sight; of very many, the middle of each column."""
        first, last = np.searchsorted(self.ends, left, "right"), np.searchsorted(self.starts, right)
        columns = max(1, round((right - left) / max(pixel, 1e-9)))
        if last - first <= columns:
            chosen = slice(first, last)
            return self.starts[chosen], self.ends[chosen], self.colours[chosen]
        edges = np.linspace(left, right, columns + 1)
        middles = (edges[:-1] + edges[1:]) / 2
        place = np.clip(np.searchsorted(self.starts, middles, "right") - 1, 0, len(self.starts) - 1)
        shown = np.where(middles < self.ends[place], self.colours[place], -1)
        changes = np.flatnonzero(np.diff(shown, prepend=-2))
        stops = np.append(changes[1:], columns)
        seen = shown[changes] >= 0
        return edges[changes][seen], edges[stops][seen], shown[changes][seen]

    def events(self, left: float, right: float, pixel: float) -> NDArray[np.int64]:
        """Return the places of the events in sight; where there is no room for all, of some of them."""
        inside = np.flatnonzero((self.offsets >= left) & (self.onsets <= right))
        width = max(pixel, 1e-9) * _ROOM
        if len(inside) <= (right - left) / width:
            return inside
        columns = np.floor(self.apexes[inside] / width)
        return np.asarray(inside[np.flatnonzero(np.diff(columns, prepend=-np.inf))], np.int64)


class Lanes(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """The lanes of all persons, the first on top; a lane is 1 high.

    Args:
        tracks: from the top.
        events: of these tracks.
        end_s: of the film.
    """

    def __init__(self, tracks: Sequence[TrackSummary], events: Sequence[Event], end_s: float) -> None:
        super().__init__()
        colours: dict[str | None, int] = {}
        self._lanes = [_Lane(track, events, colours) for track in tracks]
        self._colours = [QColor(*emotion_colour(label)) for label in colours]
        self._bounds = QRectF(0, 0, end_s, max(1, len(tracks)))

    def boundingRect(self) -> QRectF:
        return self._bounds

    def viewRangeChanged(self) -> None:
        """Draw anew: other things are in sight."""
        self.update()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        box = self.getViewBox()
        (left, right), _ = box.viewRange()
        across, down = (float(size) for size in box.viewPixelSize())
        ink = QPen(QApplication.palette().text().color(), 1.4)
        ink.setCosmetic(True)
        for place, lane in enumerate(self._lanes):
            foot = len(self._lanes) - 1 - place
            self._draw_bars(painter, foot, lane.bars(left, right, across))
            painter.setPen(ink)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            chosen = lane.events(left, right, across)
            painter.drawLines(list(_spans(lane, chosen, foot + MARK)))
            for number in chosen:
                painter.setBrush(self._colours[lane.marks[number]])
                painter.drawPolygon(_triangle(lane.apexes[number], foot + MARK, across, down))

    def _draw_bars(
        self, painter: QPainter, foot: float, bars: tuple[_Numbers, _Numbers, NDArray[np.int64]]
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        edge = QPen(QColor(90, 90, 90))
        edge.setCosmetic(True)
        painter.setPen(edge)
        many, edges = len(bars[0]) > _EDGED, []
        for start, end, colour in zip(*(values.tolist() for values in bars), strict=True):
            bar = QRectF(start, foot + _BAR[0], end - start, _BAR[1])
            if many:  # edges between them would hide them; those above and below tell white from paper
                painter.fillRect(bar, self._colours[colour])
                edges += [QLineF(bar.topLeft(), bar.topRight()), QLineF(bar.bottomLeft(), bar.bottomRight())]
            else:
                painter.setBrush(self._colours[colour])
                painter.drawRect(bar)
        painter.drawLines(edges)


def _apex_s(event: Event) -> float:
    return event.apex.time_s


def _spans(lane: _Lane, chosen: NDArray[np.int64], head: float) -> Iterator[QLineF]:
    """Yield the lines from onset to offset, with a tick at either end."""
    for onset, offset in zip(lane.onsets[chosen].tolist(), lane.offsets[chosen].tolist(), strict=True):
        yield QLineF(onset, head, offset, head)
        for end in (onset, offset):
            yield QLineF(end, head - _TICK, end, head + _TICK)


def _triangle(apex: float, head: float, across: float, down: float) -> QPolygonF:
    """Return a triangle that points down to an apex, always as large on the screen."""
    half, height = _APEX[0] * across, _APEX[1] * down
    return QPolygonF(
        [
            QPointF(apex - half, head + height),
            QPointF(apex + half, head + height),
            QPointF(apex, head - height),
        ]
    )

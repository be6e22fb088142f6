"""The timeline draws what is in sight, of a short film and of one with very many segments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from desktop_support import film_with_events, make_window, open_and_wait, small_film
from PySide6.QtCore import QPoint, QPointF

from mien.core.colours import emotion_colour
from mien.core.film_results import FilmSummary, Moment, Segment
from mien.desktop.timeline_view import TimelineView

MANY = 12_000


@pytest.fixture
def film(qtbot, tmp_path: Path) -> FilmSummary:
    window = make_window(tmp_path)
    qtbot.addWidget(window)
    open_and_wait(qtbot, window, small_film(tmp_path, frames=12))
    summary = film_with_events(window.browser.entry.film)
    window.close()
    window.join()
    return summary


@pytest.fixture
def view(qtbot) -> TimelineView:
    made = TimelineView()
    qtbot.addWidget(made)
    made.restyle()
    made.resize(700, 140)
    made.show()
    return made


def colour_at(view: TimelineView, time_s: float, height: float) -> tuple[int, int, int]:
    place = view.mapFromScene(view.getViewBox().mapViewToScene(QPointF(time_s, height)))
    colour = view.grab().toImage().pixelColor(QPoint(place))
    return colour.red(), colour.green(), colour.blue()


def test_segments_and_apexes_are_in_the_colours_of_their_emotions(view: TimelineView, film) -> None:
    view.show_film(film, 2.4)
    view.show_time(2.4)
    assert colour_at(view, 0.4, 1.3) == emotion_colour("happy")
    assert colour_at(view, 0.4, 0.3) == emotion_colour("surprise")
    assert colour_at(view, 2.0, 1.3) == emotion_colour(None)
    assert colour_at(view, 0.5, 1.81) == emotion_colour("happy")
    assert colour_at(view, 1.5, 1.81) == emotion_colour("sad")
    view.show_event(film.events[0])
    assert colour_at(view, 0.5, 1.81) == emotion_colour("happy"), "its own event does not hide it"
    view.show_film(None, 2.4)
    assert colour_at(view, 0.4, 0.3) == colour_at(view, 2.0, 0.3)


def test_very_many_segments_are_drawn_and_told_apart_when_looked_at_closely(view: TimelineView, film) -> None:
    labels = ("happy", "sad", None)
    segments = tuple(
        Segment(labels[n % 3], Moment(12 * n, float(n)), n + 1.0, 0.8) for n in range(MANY) if n % 10
    )
    track = replace(film.tracks[0], segments=segments)
    view.show_film(replace(film, tracks=(track,), events=film.events[:1]), float(MANY))
    view.show_time(float(MANY))
    known = {emotion_colour(label) for label in labels}
    image = view.grab().toImage()
    drawn = {image.pixelColor(x, 60).getRgb()[:3] for x in range(60, 690)}
    assert known <= drawn
    view.setXRange(6000, 6020, padding=0)
    for second in range(6001, 6019):
        seen = colour_at(view, second + 0.5, 0.3)
        if second % 10:
            assert seen == emotion_colour(labels[second % 3])
        else:
            assert seen not in known, "nobody is seen then"

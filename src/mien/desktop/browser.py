"""What was opened: its list, the picture, its faces, and a film's timeline."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSplitter, QVBoxLayout, QWidget

from mien.batch import Item, Outcome
from mien.core.film_results import Event
from mien.core.options import AnalysisOptions
from mien.desktop.entries import Entry
from mien.desktop.faces_panel import FacesPanel
from mien.desktop.film_frames import FilmFrames
from mien.desktop.picture_view import PictureView
from mien.desktop.problems import problem_text
from mien.desktop.reading import Models
from mien.desktop.texts import event_text, text
from mien.desktop.timeline_legend import TimelineLegend
from mien.desktop.timeline_view import TimelineView
from mien.desktop.viewer import Seen, Viewer, Wish


class Browser(QSplitter):
    """Shows photos and films that were opened, one at a time.

    Args:
        models: gives the model.
        options: how pictures are read.

    Signals:
        filters_changed: `options` are others now.
        told: something a person should read.
    """

    filters_changed = Signal()
    told = Signal(str)

    def __init__(self, models: Models, options: AnalysisOptions) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.options, self.language = options, "en"
        self.is_busy = False
        self.entries: dict[str, Entry] = {}
        self.time_s = 0.0
        self.plays = False
        self._event: Event | None = None  # gone to last, at this time
        self._event_s = 0.0
        self._track: int | None = None  # of the selected face
        self._previews: Seen | None = None
        self.viewer = Viewer(models)
        self.viewer.seen.connect(self._show_seen)
        self._make_widgets()
        self._lay_out()
        self._show_entry()

    def _make_widgets(self) -> None:
        self.list = QListWidget()
        self.list.setMinimumWidth(110)
        self.list.setSpacing(3)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.currentItemChanged.connect(lambda *_: self._entry_chosen())
        self.view = PictureView()
        self.view.selected.connect(self.select_face)
        self.timeline = TimelineView()
        self.timeline.sought.connect(self.seek)
        self.timeline.stepped.connect(self.step)
        self.timeline.event_stepped.connect(self.step_event)
        self.legend = TimelineLegend()
        self.panel = FacesPanel()
        self.panel.selected.connect(self.select_face)
        self.panel.filters_changed.connect(self._filters_changed)
        self.panel.set_filters(clahe=self.options.clahe, median=self.options.median)

    def _lay_out(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.legend)
        for widget, stretch in ((self.list, 0), (middle, 1), (self.panel, 0)):
            self.addWidget(widget)
            self.setStretchFactor(self.count() - 1, stretch)
        self.setSizes([190, 640, 330])
        self.setChildrenCollapsible(False)

    def retranslate(self, language: str) -> None:
        """Show every text in another language."""
        self.language = self.view.language = language
        self.panel.retranslate(language)
        self.timeline.retranslate(language)
        self._show_entry()
        self.list.setAccessibleName(text("opened", language))
        self.rename()

    def restyle(self) -> None:
        """Take the colours of the palette."""
        self.timeline.restyle()
        self.legend.update()

    def close_all(self) -> None:
        """Decode nothing more."""
        self.viewer.close()

    @property
    def entry(self) -> Entry | None:
        """The photo or film that is shown."""
        item = self.list.currentItem()
        return None if item is None else self.entries.get(item.data(Qt.ItemDataRole.UserRole))

    def add(self, items: Sequence[Item]) -> None:
        """Add photos and films, and show the first of them."""
        first = None
        for item in items:
            if item.key not in self.entries:
                self.entries[item.key] = Entry(item, error=item.error)
                row = QListWidgetItem()
                row.setData(Qt.ItemDataRole.UserRole, item.key)
                self.list.addItem(row)
                self._name(item.key)
            first = first or item.key
        if first is not None:
            self.list.setCurrentItem(self._row(first))

    def begin(self, item: Item, frames: FilmFrames) -> None:
        """Take the frames of a film that is being read."""
        if item.key in self.entries:
            self.entries[item.key].frames = frames

    def take(self, outcome: Outcome) -> None:
        """Take what became of a photo or film."""
        entry = self.entries.get(outcome.item.key)
        if entry is not None:
            entry.analysis, entry.film, entry.error = outcome.analysis, outcome.film, outcome.error
            self._name(outcome.item.key)
            if entry is self.entry:
                self._show_entry()

    def remove(self) -> None:
        """Take what is shown off the list; its file stays."""
        row = self.list.currentRow()
        if row >= 0:
            item = self.list.item(row)
            del self.entries[item.data(Qt.ItemDataRole.UserRole)]
            self.list.takeItem(row)
            self._entry_chosen()

    def rename(self) -> None:
        """Say of everything how far it is."""
        for key in self.entries:
            self._name(key)

    def _filters_changed(self) -> None:
        median = int(self.panel.median.currentData())
        self.options = AnalysisOptions(clahe=self.panel.clahe.isChecked(), median=median)
        self._wish()
        self.filters_changed.emit()

    def _row(self, key: str) -> QListWidgetItem:
        rows = (self.list.item(row) for row in range(self.list.count()))
        return next(row for row in rows if row.data(Qt.ItemDataRole.UserRole) == key)

    def _name(self, key: str) -> None:
        row = self._row(key)
        row.setText(f"{Path(self.entries[key].item.name).name}\n{self._state(self.entries[key])}")
        error = self.entries[key].error
        row.setToolTip(self.entries[key].item.name if error is None else problem_text(error, self.language))

    def _state(self, entry: Entry) -> str:
        if entry.error is not None:
            return text("unreadable", self.language)
        if entry.film is not None:
            words = text("count_persons", self.language, count=len(entry.film.persons))
            return words if entry.film.complete else f"{words}, {text('not_complete', self.language)}"
        if entry.analysis is not None:
            return text("count_faces", self.language, count=len(entry.analysis.faces))
        return text("reading", self.language) if self.is_busy else text("not_complete", self.language)

    def _entry_chosen(self) -> None:
        self.time_s, self.plays = 0.0, False
        self._event = self._track = None
        if not self.is_busy:
            self.told.emit("")  # what was said was about something else
        self._show_entry()

    def _show_entry(self) -> None:
        entry = self.entry
        if entry is None or not entry.can_be_seen:
            self.plays = False
            why = None if entry is None else entry.error
            self._clear(text("welcome", self.language) if why is None else problem_text(why, self.language))
            return
        self.timeline.setVisible(entry.item.is_film)
        if entry.item.is_film:
            film = entry.film
            end_s = film.read_s if film is not None else entry.frames.times[-1] if entry.frames.times else 1.0
            self.timeline.show_film(film, end_s)
            self.legend.show_film(film, self.language)
            self.timeline.show_time(self.time_s)
        else:
            self.legend.show_film(None, self.language)
        if not self.plays:
            self._wish()

    def _clear(self, hint: str) -> None:
        """Show nothing but `hint`: what was shown before belongs to something else."""
        self.timeline.hide()
        self.timeline.show_film(None, 1.0)
        self.legend.show_film(None, self.language)
        self._previews = None
        self.view.show_picture(QImage())
        self.view.set_hint(hint)
        self.panel.show_faces(())
        self.panel.show_preview(None)

    def _wish(self) -> None:
        entry = self.entry
        if entry is not None and entry.can_be_seen:
            self.viewer.show(Wish(entry.item, self.options, self.time_s, self.plays, entry.faces))

    def _show_seen(self, seen: Seen) -> None:
        entry = self.entry
        self.viewer.drawn()
        if entry is None or not entry.can_be_seen or entry.item.key != seen.wish.item.key:
            return
        if seen.ended:
            self.plays = False
            self._wish()
            return
        if seen.error is not None:
            words = problem_text(seen.error, self.language)
            self.plays = False
            self._clear(words)
            self.told.emit(words)
            return
        if seen.wish.plays:
            self.time_s = seen.time_s
            self.timeline.show_time(seen.time_s)
        faces = seen.faces
        tracks = [face.track_id for face in faces]
        # The selection stays with its person.
        wanted = (
            tracks.index(self._track)
            if self._track in tracks and self._track is not None
            else self.view.current
        )
        self.view.show_picture(seen.image, faces, seen.width)
        self.view.show_faces(faces, wanted)
        self.panel.show_faces(faces, self.view.current)
        self._previews = seen
        self._show_preview()

    def _show_preview(self) -> None:
        pictures = self._previews.previews if self._previews is not None else ()
        self.panel.show_preview(
            pictures[self.view.current] if self.view.faces and self.view.current < len(pictures) else None
        )

    def select_face(self, number: int) -> None:
        """Show the scores and crops of another face."""
        self.view.show_faces(self.view.faces, number)
        self._track = self.view.faces[number].track_id if number < len(self.view.faces) else None
        if self.panel.current != number:
            self.panel.show_faces(self.view.faces, number)
        self._show_preview()

    def step_face(self, step: int) -> None:
        """Select the next face, or the one before."""
        if self.view.faces:
            self.select_face((self.view.current + step) % len(self.view.faces))

    def seek(self, time_s: float) -> None:
        """Show a film at another time."""
        entry = self.entry
        if entry is not None and entry.item.is_film:
            self.plays = False
            self._event = None
            self.timeline.show_event(None)
            self.time_s = entry.frames.step(time_s, 0)
            self.timeline.show_time(self.time_s)
            self._wish()

    def step(self, frames: int) -> None:
        """Go so many frames on, or back."""
        entry = self.entry
        if entry is not None and entry.item.is_film:
            self.seek(entry.frames.step(self.time_s, frames))

    def step_event(self, step: int) -> None:
        """Go to the apex of the next event, or of the one before, and to its person."""
        entry = self.entry
        if entry is None or entry.film is None:
            return
        events = sorted(entry.film.events, key=lambda event: (event.apex, event.track_id))
        times = [event.apex.time_s for event in events]
        if self._event in events and self._event_s == self.time_s:
            place = events.index(self._event) + step
        elif step > 0:
            place = bisect_right(times, self.time_s)
        else:
            place = bisect_left(times, self.time_s) - 1
        if not 0 <= place < len(events):
            self.told.emit(text("no_event", self.language))
            return
        self.seek(times[place])
        self._event, self._event_s, self._track = events[place], self.time_s, events[place].track_id
        self.timeline.show_event(self._event)
        self.told.emit(event_text(self._event, self.language))

    def play(self) -> None:
        """Play the film from here, or stop."""
        entry = self.entry
        if entry is not None and entry.item.is_film and entry.can_be_seen:
            self.plays = not self.plays
            if self.plays and entry.frames.times and self.time_s >= entry.frames.times[-1]:
                self.time_s = 0.0
            self._wish()

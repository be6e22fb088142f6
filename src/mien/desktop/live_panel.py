"""What shows a live session: picture, bars of every face, speed; takes the newest frame by a timer."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from mien.core.files import shown
from mien.desktop.bars import Bars
from mien.desktop.picture_view import PictureView, to_image
from mien.desktop.problems import notice_text, problem_text
from mien.desktop.questions import ask
from mien.desktop.texts import text
from mien.live import LiveFrame, LiveSession, Notice

_TICK_MS = 15
_MOST_BARS = 4


class LivePanel(QWidget):
    """Shows a session that runs in its own threads; nothing here waits for it.

    Args:
        session: started by whoever made it.
        language: "en", "vi" or "ro".
    """

    ended = Signal()

    def __init__(self, session: LiveSession, language: str = "en", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.language = session, language
        self._shown: LiveFrame | None = None
        self._notices: deque[Notice] = deque(maxlen=20)
        self._has_ended = False
        self.view = PictureView()
        self.speed = QLabel()
        self.notice = QLabel()
        self.notice.setWordWrap(True)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = QLabel()
        self.bars = [Bars() for _ in range(_MOST_BARS)]
        self._lay_out()
        self._unsubscribe = session.subscribe(lambda shot: None, on_notice=self._notices.append)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_TICK_MS)
        self.retranslate(language)

    def _lay_out(self) -> None:
        side = QWidget()
        column = QVBoxLayout(side)
        for bars in self.bars:
            column.addWidget(bars)
        column.addWidget(self.more)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(side)
        scroll.setWidgetResizable(True)
        scroll.setFixedWidth(290)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        below = QHBoxLayout()
        below.addWidget(self.notice, 1)
        below.addWidget(self.speed)
        left = QVBoxLayout()
        left.addWidget(self.view, 1)
        left.addLayout(below)
        row = QHBoxLayout(self)
        row.addLayout(left, 1)
        row.addWidget(scroll)

    def retranslate(self, language: str) -> None:
        """Show every text in another language."""
        self.language = self.view.language = language
        self.view.set_hint(text("waiting", language))
        self._show_faces()
        self._show_speed()

    def detach(self) -> None:
        """Take nothing more from the session."""
        self._timer.stop()
        self._unsubscribe()

    def toggle_pause(self) -> None:
        """Pause the session or let it go on."""
        if self.session.paused:
            self.session.resume()
        else:
            self.session.pause()
        self._show_speed()

    def save_faces(self) -> None:
        """Save the faces of the newest frame."""
        if not self.session.save_now():
            self.notice.setText(text("no_face_to_save", self.language))

    def clear_faces(self) -> None:
        """Delete the saved faces, once the person said yes."""
        folder = shown(self.session.gallery.folder)
        question = text("ask_clear", self.language, folder=folder)
        ask(self, "clear_title", question, self.session.clear, self.language)

    def _tick(self) -> None:
        while self._notices:
            self.notice.setText(notice_text(self._notices.popleft(), self.language))
        shot = self.session.newest
        if shot is not None and shot is not self._shown:
            self._shown = shot
            self.view.show_picture(to_image(shot.frame.pixels), shot.analysis.faces)
            self._show_faces()
            self._show_speed()
        if self.session.ended and not self._has_ended:
            self._has_ended = True
            error = self.session.error
            words = text("ended", self.language) if error is None else problem_text(error, self.language)
            self.notice.setText(words)
            self.view.set_hint(words)
            if error is not None:  # a picture that stands still would look live
                self._shown = None
                self.view.show_picture(QImage())
                self._show_faces()
            self.ended.emit()

    def _show_faces(self) -> None:
        faces = () if self._shown is None else self._shown.analysis.faces
        # By number, so that bars stay where they are when someone comes nearer than another.
        ordered = sorted(faces, key=lambda face: face.track_id or 0)
        for place, bars in enumerate(self.bars):
            bars.show_face(ordered[place] if place < len(ordered) else None, self.language)
            bars.setVisible(place < len(ordered))
        left_over = len(ordered) - _MOST_BARS
        if self._shown is not None and not ordered:
            self.more.setText(text("no_face", self.language))
        else:
            self.more.setText(text("more_faces", self.language, count=left_over) if left_over > 0 else "")

    def _show_speed(self) -> None:
        stats = self.session.stats
        words = text("speed", self.language, rate=stats.frames_per_s, latency=1000 * stats.latency_s)
        self.speed.setText(f"{words} · {text('paused', self.language)}" if self.session.paused else words)

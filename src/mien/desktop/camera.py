"""The camera in the main window: opened and closed beside it, shown by a LivePanel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from mien.core.errors import MienError
from mien.core.options import AnalysisOptions
from mien.desktop.jobs import Work
from mien.desktop.live_panel import LivePanel
from mien.desktop.reading import Models
from mien.gallery import Gallery
from mien.live import LiveSession, open_session

_PATIENCE_S = 10.0


@dataclass(frozen=True)
class _Opened:
    """What came of opening a source: a session, or an error."""

    work: Work
    session: LiveSession | None
    error: MienError | None


class Camera(QObject):
    """Opens a live source and closes it, without making the window wait.

    Args:
        source: the number of a camera, an address, or a film in a camera's place; can be set to another,
            which is opened at the next start.
        models: gives the model.

    Signals:
        opened: a LivePanel to show.
        failed: the MienError that says why it cannot be opened.
    """

    opened = Signal(object)
    failed = Signal(object)

    def __init__(self, source: str, models: Models) -> None:
        super().__init__()
        self.source, self._models = source, models
        self._work: Work | None = None
        self._ending: list[threading.Thread | Work] = []
        self._language: Callable[[], str] = lambda: "en"
        self.panel: LivePanel | None = None

    @property
    def is_on(self) -> bool:
        """It is open, or being opened."""
        return self.panel is not None or self._work is not None

    def start(self, options: AnalysisOptions, gallery: Gallery, language: Callable[[], str]) -> None:
        """Open the source; `opened` or `failed` follows."""
        source, ending = self.source, tuple(self._ending)

        def open_it(work: Work) -> None:
            for before in ending:  # it may hold the same device
                before.join(_PATIENCE_S)
            try:
                session = open_session(
                    source,
                    model=self._models.get(),
                    gallery=gallery,
                    clahe=options.clahe,
                    median=options.median,
                )
            except MienError as error:
                work.found.emit(_Opened(work, None, error))
            else:
                work.found.emit(_Opened(work, session, None))

        self._language = language
        self._work = Work(open_it)
        self._work.found.connect(self._show)
        self._work.failed.connect(self._fail)
        self._work.start()

    def stop(self) -> None:
        """Close it; whoever shows the panel takes it away."""
        if self._work is not None:
            self._work.cancel()
            self._ending.append(self._work)  # what it still opens is closed in _show
            self._work = None
        if self.panel is not None:
            self.panel.detach()
            self._end(self.panel.session)
            self.panel = None

    def save_faces(self) -> None:
        """Save the faces of the newest frame, where the camera is open."""
        if self.panel is not None:
            self.panel.save_faces()

    def clear_faces(self) -> None:
        """Ask whether to delete all saved faces."""
        if self.panel is not None:
            self.panel.clear_faces()

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        if self.panel is not None:
            self.panel.toggle_pause()

    def join(self, timeout: float) -> None:
        """Wait until it is closed."""
        if self._work is not None:
            self._work.join(timeout)
        for thread in self._ending:
            thread.join(timeout)

    def _show(self, opened: _Opened) -> None:
        session = opened.session
        if opened.work is not self._work:  # it was stopped, or another source is being opened
            if session is not None:
                self._end(session)
            return
        if session is None:
            self._fail(opened.error or MienError("the camera cannot be opened"))
            return
        self._work = None
        self.panel = LivePanel(session, self._language())
        session.start()
        self.opened.emit(self.panel)

    def _fail(self, error: MienError) -> None:
        self._work = None
        self.failed.emit(error)

    def _end(self, session: LiveSession) -> None:
        thread = threading.Thread(target=session.stop, name="mien-desktop-camera", daemon=True)
        thread.start()
        self._ending.append(thread)

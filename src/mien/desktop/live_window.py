"""The window of `mien live`."""

from __future__ import annotations

import signal
import threading

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from mien.core.errors import MienError
from mien.desktop.live_panel import LivePanel
from mien.desktop.qt_texts import translate_qt
from mien.desktop.texts import text
from mien.desktop.theme import apply_theme
from mien.live import LiveSession

_KEYS = (("save_face", "S"), ("clear_faces", "C"), ("pause", "P"), ("quit", "Q"))


class LiveWindow(QMainWindow):
    """Shows one session; keys: q quits, s saves the face, c clears the saved faces, p pauses."""

    def __init__(self, session: LiveSession, *, language: str = "en") -> None:
        super().__init__()
        self.panel = LivePanel(session, language)
        self.setCentralWidget(self.panel)
        self.setWindowTitle(f"Mien – {session.info.name}")
        actions = {
            "save_face": self.panel.save_faces,
            "clear_faces": self.panel.clear_faces,
            "pause": self.panel.toggle_pause,
            "quit": self.close,
        }
        menu = self.menuBar().addMenu(text("live", language))
        for name, key in _KEYS:
            action = QAction(text(name, language), self)
            action.setShortcut(key)
            action.triggered.connect(actions[name])
            menu.addAction(action)
        self.resize(1000, 620)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.panel.detach()
        super().closeEvent(event)


def run(session: LiveSession, *, language: str = "en") -> None:
    """Start a session, show it until the window is closed, and stop it.

    Raises:
        MienError: the session ended with it, such as a camera that is gone.
        KeyboardInterrupt: Ctrl-C.
    """
    known = QApplication.instance()
    app = known if isinstance(known, QApplication) else QApplication(["mien"])
    apply_theme(app, "system")
    translate_qt(app, language)
    window = LiveWindow(session, language=language)
    interrupted = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        window.close()

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, interrupt) if in_main else None
    window.show()
    # Started once the window stands, so that no frame is missed while it is made.
    QTimer.singleShot(0, session.start)
    try:
        app.exec()
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        session.stop()
    if interrupted:
        raise KeyboardInterrupt
    if isinstance(session.error, MienError):
        raise session.error

"""`mien desktop`: the program around the main window."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from mien.desktop.main_window import MainWindow
from mien.desktop.reading import Models
from mien.desktop.settings import Settings
from mien.desktop.theme import apply_theme
from mien.zoo.registry import Model
from mien.zoo.runtime import load_runtime

_HEED_CTRL_C_MS = 200
LARGE = (
    "scipy.optimize",
    "mien.video.analysis",
    "mien.video.annotated",
    "mien.pipeline.analyzer",
)


def run(paths: Sequence[Path] = (), *, model: str | Model | None = None, camera: str | None = None) -> None:
    """Show the main window until it is closed.

    Args:
        paths: to open at the start.
        model: name or path, or loaded already; None for the default.
        camera: as in `mien live --source`; the one chosen last without it.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    known = QApplication.instance()
    app = known if isinstance(known, QApplication) else QApplication(["mien"])
    app.setApplicationName("Mien")
    settings = Settings()
    window = MainWindow(settings, Models(model), camera=camera)
    scheme = QApplication.styleHints().colorSchemeChanged
    follow = scheme.connect(lambda _: _follow_system(app, window))
    interrupted = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        window.close()

    before = signal.signal(signal.SIGINT, interrupt)
    pulse = QTimer()  # lets Python see Ctrl-C while Qt waits
    pulse.timeout.connect(lambda: None)
    pulse.start(_HEED_CTRL_C_MS)
    window.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose)
    load_runtime()
    for name in LARGE:  # a library that is loaded holds up every thread: now, not while someone clicks
        importlib.import_module(name)
    window.show()
    if paths:
        window.open_paths(paths)
    try:
        app.exec()
    finally:
        signal.signal(signal.SIGINT, before)
        scheme.disconnect(follow)
        window.join()
    if interrupted:
        raise KeyboardInterrupt


def _follow_system(app: QApplication, window: MainWindow) -> None:
    if window.settings.theme == "system":
        apply_theme(app, "system")
        window.restyle()

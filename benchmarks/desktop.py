"""The desktop program: how long its window is deaf at most, while a film is read and while one plays."""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import Figure, figure
from benchmarks.pictures import moving_faces
from mien.video.write import FilmWriter
from mien.zoo.registry import Model

WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 25, 8
ROUNDS = 5
DEAF_AT_MOST_MS = 50.0
_BEAT_MS = 2
_PATIENCE_S = 300.0


def run(model: Model) -> Iterator[Figure]:
    """Yield the longest time between two beats of the window's own timer."""
    from PySide6.QtWidgets import QApplication

    from mien.desktop.main_window import MainWindow
    from mien.desktop.program import LARGE
    from mien.desktop.reading import Models
    from mien.desktop.settings import Settings

    for name in LARGE:
        importlib.import_module(name)
    app = QApplication.instance() or QApplication(["mien", "-platform", "offscreen"])
    app.setApplicationName("Mien")  # and it is kept: a program without it has no windows
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        with FilmWriter(film, WIDTH, HEIGHT, rate=RATE) as writer:
            for number, pixels in enumerate(moving_faces(WIDTH, HEIGHT, 1, SECONDS * RATE)):
                writer.write(pixels, number / RATE)
        window = MainWindow(Settings(Path(folder)), Models(model))
        window.show()
        window.open_paths([film])
        reading = [_longest_ms(lambda: window.work is None)]
        for _ in range(ROUNDS - 1):
            window.reread()
            reading.append(_longest_ms(lambda: window.work is None))
        playing = []
        for _ in range(ROUNDS):
            window.browser.seek(0.0)
            window.browser.play()
            playing.append(_longest_ms(lambda: not window.browser.plays))
        window.close()
        window.join()
    for what, values in (("is read", reading), ("plays", playing)):
        yield figure(
            f"desktop, 720p, while a film {what}: longest time that the window is deaf",
            np.array(values),
            limit=DEAF_AT_MOST_MS,
            unit="ms",
            worst_ms=float(max(values)),
        )


def _longest_ms(is_done: Callable[[], bool]) -> float:
    from PySide6.QtCore import QEventLoop, Qt, QTimer

    beats = [time.monotonic()]
    until = beats[0] + _PATIENCE_S
    loop, timer = QEventLoop(), QTimer()

    def beat() -> None:
        beats.append(time.monotonic())
        if is_done() or beats[-1] > until:
            loop.quit()

    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    timer.start(_BEAT_MS)
    loop.exec()
    timer.stop()
    return 1000 * float(np.diff(beats).max())

"""Live pictures: a film in a camera's place, read in real time at 640×480; frames that are late are lost."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import Figure, figure
from benchmarks.pictures import moving_faces
from mien.live import LiveFrame, LiveStats, open_session
from mien.render import Annotator
from mien.video.write import FilmWriter

WIDTH, HEIGHT, RATE, SECONDS = 640, 480, 30, 8
ROUNDS = 3
LATENCY_AT_MOST_MS = 50.0
FRAMES_AT_LEAST = 29.0


def run(detectors: list[str]) -> Iterator[Figure]:
    """Yield the figures of live pictures, with the best detector that is here."""
    detector = detectors[0]
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        with FilmWriter(film, WIDTH, HEIGHT, rate=RATE) as writer:
            for number, pixels in enumerate(moving_faces(WIDTH, HEIGHT, 1, SECONDS * RATE)):
                writer.write(pixels, number / RATE)
        light = [watched(film, "light", detector) for _ in range(ROUNDS)]
        standard = [watched(film, "standard", detector) for _ in range(ROUNDS)]
    yield figure(
        f"live 640×480, light, {detector}: from a frame to its drawn labels",
        np.array([1000 * (stats.latency_s + drawn_s) for stats, drawn_s in light]),
        limit=LATENCY_AT_MOST_MS,
        unit="ms",
    )
    yield figure(
        f"live 640×480, standard, {detector}: frames of 30 a second that are read",
        np.array([stats.analysed / SECONDS for stats, _ in standard]),
        limit=FRAMES_AT_LEAST,
        at_least=True,
        unit="frames/s",
        latency_ms=1000 * float(np.median([stats.latency_s for stats, _ in standard])),
    )


def watched(film: Path, preset: str, detector: str) -> tuple[LiveStats, float]:
    """Play the film through a session; return its figures, and the median seconds of drawing a frame."""
    annotator, drawn = Annotator(), []

    def draw(shot: LiveFrame) -> None:
        start = time.perf_counter()
        annotator.annotate(shot.frame.pixels, shot.analysis.faces)
        drawn.append(time.perf_counter() - start)

    session = open_session(film, preset=preset, detector=detector)
    session.subscribe(draw)
    session.start()
    session.wait()
    session.stop()
    return session.stats, float(np.median(drawn))

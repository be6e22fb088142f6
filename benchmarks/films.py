"""Films: frames a second against the way of R3 and R4, against bare decoding, and what annotating costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import Figure, alternate, figure, milliseconds
from benchmarks.pictures import moving_faces
from mien.core.machine import threads_beside_decoding
from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions
from mien.pipeline.analyzer import Analyzer
from mien.video.analyze import FrameReader
from mien.video.annotated import AnnotatedFilm
from mien.video.film import Film
from mien.video.prefetch import Prefetch
from mien.video.write import FilmWriter

WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 30, 6
AT_LEAST = {"yunet": 4.0, "haar": 6.0}
EQUAL_AT_LEAST = 0.95
DECODING_AT_LEAST = 0.25
ANNOTATED_AT_MOST = 1.3
GROWTH_AT_MOST_MB = 30.0
MINUTES = (1, 10)
ROUNDS = 5


def run(detectors: list[str]) -> Iterator[Figure]:
    """Yield the figures of films."""
    with tempfile.TemporaryDirectory() as folder:
        films = {faces: make_film(Path(folder) / f"{faces}.mp4", faces) for faces in (1, 4)}
        for detector in detectors:
            for faces, path in films.items():
                yield from _against_reference(path, faces, detector)
        if "yunet" in detectors:
            yield _against_decoding(films[1])
            yield _annotated(films[1], Path(folder))
        yield _memory(Path(folder))


def make_film(path: Path, faces: int, seconds: int = SECONDS) -> Path:
    """Write a film of moving faces."""
    with FilmWriter(path, WIDTH, HEIGHT, rate=RATE) as writer:
        for number, pixels in enumerate(moving_faces(WIDTH, HEIGHT, faces, seconds * RATE)):
            writer.write(pixels, number / RATE)
    return path


def reference(path: Path, analyzer: Analyzer) -> list[list[tuple[tuple[int, int, int, int], str | None]]]:
    """Do as R3 and R4: each frame by itself, one call a face, drawn; Mien's own detector and network."""
    capture, found, steps = cv2.VideoCapture(str(path)), [], analyzer.steps
    while True:
        read, frame = capture.read()
        if not read:
            capture.release()
            return found
        picture = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        faces = []
        for detection in steps.detect(picture, turned=False):
            crops, _ = steps.cut(picture, [detection])
            scores = steps.score(crops)[0]
            top = int(scores.argmax())
            label = steps.model.card.labels[top]
            box = detection.box
            cv2.rectangle(frame, (box.x, box.y), (box.right, box.bottom), (0, 255, 0), 2)
            text = f"{label} {scores[top]:.0%}"
            cv2.putText(frame, text, (box.x, box.y - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 255, 0), 2)
            faces.append(((box.x, box.y, box.width, box.height), label))
        found.append(faces)


def ours(path: Path, analyzer: Analyzer, options: VideoOptions) -> list[list[tuple[tuple[int, ...], str]]]:
    """Analyse the film as `mien analyze` does, without writing."""
    source = Prefetch(Film(path, options))
    found = []
    for _, analysis in FrameReader(analyzer.steps, options).read(source):
        found.append([((f.box.x, f.box.y, f.box.width, f.box.height), f.top) for f in analysis.faces])
    source.close()
    return found


def _analyzer(detector: str) -> Analyzer:
    return Analyzer(AnalysisOptions(detector=detector), threads=threads_beside_decoding())


def _against_reference(path: Path, faces: int, detector: str) -> Iterator[Figure]:
    analyzer = _analyzer(detector)
    options = VideoOptions()
    equal = _equal(reference(path, analyzer), ours(path, analyzer, VideoOptions(smoothing=0)))
    seconds = alternate(
        lambda: reference(path, analyzer),
        lambda: ours(path, analyzer, options),
        repetitions=ROUNDS,
        warm_up=0,
    )
    frames = SECONDS * RATE
    yield figure(
        f"film of 1280×720, {faces} faces, {detector}: as fast as the R3 way",
        seconds[0] / seconds[1],
        limit=AT_LEAST[detector],
        at_least=True,
        reference_fps=frames / float(np.median(seconds[0])),
        mien_fps=frames / float(np.median(seconds[1])),
    )
    yield figure(
        f"film of 1280×720, {faces} faces, {detector}: labels as in the R3 way, without smoothing",
        np.array([equal]),
        limit=EQUAL_AT_LEAST,
        at_least=True,
        unit="of the faces",
    )


def _equal(theirs: list, mine: list) -> float:
    """Return the share of the reference's faces that have the same label in the same place."""
    same, total = 0, 0
    for their_faces, my_faces in zip(theirs, mine, strict=True):
        for (x, y, w, h), label in their_faces:
            total += 1
            same += any(
                label == mine_label
                and abs(bx + bw / 2 - x - w / 2) < w / 2
                and abs(by + bh / 2 - y - h / 2) < h / 2
                for (bx, by, bw, bh), mine_label in my_faces
            )
    return same / total


def _against_decoding(path: Path) -> Figure:
    analyzer, options = _analyzer("yunet"), VideoOptions()

    def decode() -> None:
        film = Film(path)
        for _ in film:
            pass
        film.close()

    seconds = alternate(decode, lambda: ours(path, analyzer, options), repetitions=ROUNDS, warm_up=1)
    return figure(
        "film of 1280×720, one face, yunet: rate against bare decoding",
        seconds[0] / seconds[1],
        limit=DECODING_AT_LEAST,
        at_least=True,
        decoding_ms=milliseconds(seconds[0]),
        mien_ms=milliseconds(seconds[1]),
    )


def _annotated(path: Path, folder: Path) -> Figure:
    analyzer = _analyzer("yunet")
    frames = [(frame.pixels, frame.time_s) for frame in Film(path, VideoOptions(end=3.0))]
    cut, threads = VideoOptions(end=3.0), threads_beside_decoding()  # as `mien analyze` encodes

    def encode() -> None:
        with FilmWriter(folder / "bare.mp4", WIDTH, HEIGHT, rate=RATE, threads=threads) as writer:
            for pixels, time_s in frames:
                writer.write(pixels, time_s)

    def annotate() -> None:
        source = Prefetch(Film(path, cut))
        writer = FilmWriter(folder / "annotated.mp4", WIDTH, HEIGHT, rate=RATE, threads=threads)
        with AnnotatedFilm(writer) as out:
            for frame, analysis in FrameReader(analyzer.steps, cut).read(source):
                out.write(frame, analysis)
        source.close()

    seconds = alternate(lambda: ours(path, analyzer, cut), encode, annotate, repetitions=ROUNDS, warm_up=1)
    return figure(
        "annotated film, against the slower of analysis and bare encoding",
        seconds[2] / np.maximum(seconds[0], seconds[1]),
        limit=ANNOTATED_AT_MOST,
        analysis_ms=milliseconds(seconds[0]),
        encoding_ms=milliseconds(seconds[1]),
        annotated_ms=milliseconds(seconds[2]),
        processors=os.cpu_count(),
    )


def _memory(folder: Path) -> Figure:
    """Peak of a whole `mien analyze --output DIR`, over a short and a long film; a fresh process each."""
    peaks = []
    for minutes in MINUTES:
        path = folder / f"{minutes}-minutes.mp4"
        with FilmWriter(path, 320, 240, rate=10) as writer:
            pictures = list(moving_faces(320, 240, 1, 60))
            for number in range(minutes * 600):
                writer.write(pictures[number % len(pictures)], number / 10)
        peaks.append(_peak_mb(["analyze", str(path), "--quiet", "--output", str(folder / f"out-{minutes}")]))
    return figure(
        f"peak memory of a film of {MINUTES[1]} minutes, beyond that of {MINUTES[0]}",
        np.array([peaks[1] - peaks[0]]),
        limit=GROWTH_AT_MOST_MB,
        unit="MB",
        short_mb=peaks[0],
        long_mb=peaks[1],
    )


def _peak_mb(arguments: list[str]) -> float:
    code = (
        "import resource, sys\nfrom mien.cli import main\ncode = main(sys.argv[1:])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    peak = int(done.stdout.split()[-1])
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)

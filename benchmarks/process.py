"""Whole processes: importing, a cold command, and memory over a thousand photos."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import REPETITIONS, Figure, alternate, figure, milliseconds
from benchmarks.pictures import SAMPLES

IMPORT_AT_MOST = 2.0
COLD_AT_MOST_S = 1.0
GROWTH_AT_MOST_MB = 20.0
PHOTOS, FIRST = 1000, 50
MEMORY_RUNS = 3

_BARE = "import dataclasses, enum, pathlib"
# What the command itself imports when it prints plain lines, and nothing more: it would flatter Mien.
_LIBRARIES = "import numpy, cv2, onnxruntime, PIL.Image, typer"


def run() -> Iterator[Figure]:
    """Yield the figures of whole processes."""
    yield _import()
    yield _cold()
    yield _memory()


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _import() -> Figure:
    seconds = alternate(lambda: _python(_BARE), lambda: _python("import mien"), repetitions=2 * REPETITIONS)
    return figure(
        "import mien, against a process that imports dataclasses, enum, pathlib",
        seconds[1] / seconds[0],
        limit=IMPORT_AT_MOST,
        bare_ms=milliseconds(seconds[0]),
        mien_ms=milliseconds(seconds[1]),
    )


def _cold() -> Figure:
    photo = str(SAMPLES / "eileen-collins.jpg")
    command = [sys.executable, "-m", "mien", "analyze", photo]
    seconds = alternate(
        lambda: _python(_LIBRARIES), lambda: subprocess.run(command, check=True, capture_output=True)
    )
    return figure(
        "a cold mien analyze photo.jpg, beyond importing its libraries",
        seconds[1] - seconds[0],
        limit=COLD_AT_MOST_S,
        unit="s",
        libraries_ms=milliseconds(seconds[0]),
        command_ms=milliseconds(seconds[1]),
    )


def _memory() -> Figure:
    """Photos of changing size, so that buffers are not simply used again; a fresh process each time."""
    sizes = np.array([_sizes_of_a_fresh_process() for _ in range(MEMORY_RUNS)])
    growth = sizes[:, 1:] - sizes[:, :1]
    return figure(
        f"growth of the process from photo {FIRST} to {PHOTOS} through one Analyzer",
        growth[:, -1],
        limit=GROWTH_AT_MOST_MB,
        unit="MB",
        after_first_mb=float(np.median(sizes[:, 0])),
        largest_growth_mb=float(growth.max()),
    )


def _sizes_of_a_fresh_process() -> list[float]:
    code = "from benchmarks.process import thousand_photos\nprint(*thousand_photos(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [float(line) for line in done.stdout.split()]


def thousand_photos() -> list[float]:
    """Analyse the photos in this process; return its size in MB after the first ones and then every 50."""
    from benchmarks.pictures import photo
    from mien.pipeline.analyzer import Analyzer

    contents = [photo(480 + 40 * n, 360 + 24 * n, 1 + n % 3)[0] for n in range(8)]
    sizes = []
    with Analyzer() as analyzer:
        sources = (contents[n % len(contents)] for n in range(PHOTOS))
        for number, result in enumerate(analyzer.analyze_many(sources), 1):
            if isinstance(result, Exception):
                raise result
            if number % FIRST == 0:
                sizes.append(_resident_mb())
    return sizes


def _resident_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)

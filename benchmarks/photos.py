"""Whole photos, from the bytes of the file to the result, one thread each."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import Figure, alternate, figure, milliseconds
from benchmarks.pictures import found, photo
from benchmarks.reference import Reference
from mien.core import images
from mien.core.options import AnalysisOptions
from mien.pipeline.analyzer import Analyzer
from mien.pipeline.detect import create_detector
from mien.zoo.registry import Model

FACES = 4
AT_LEAST = {"yunet": 3.0, "haar": 1.5}
ADDED_AT_MOST = 0.30


def run(model: Model, detectors: list[str]) -> Iterator[Figure]:
    """Yield the figures of every detector that is present."""
    for detector in detectors:
        yield _against_reference(model, detector)
    for detector in detectors:
        yield _added(model, detector)


def _against_reference(model: Model, detector: str) -> Figure:
    content, places = photo(1920, 1080, FACES)
    reference, analyzer = Reference(model), Analyzer(model=model, detector=detector)
    theirs = found([box for box, _, _ in reference.analyze(content)], places)
    ours = found(
        [(f.box.x, f.box.y, f.box.width, f.box.height) for f in analyzer.analyze(content).faces], places
    )
    seconds = alternate(lambda: reference.analyze(content), lambda: analyzer.analyze(content))
    enough = ours >= theirs  # a faster way that finds fewer faces does not count
    return figure(
        f"1920×1080, {FACES} faces, {detector}: as fast as the R3 way",
        seconds[0] / seconds[1] * enough,
        limit=AT_LEAST[detector],
        at_least=True,
        reference_ms=milliseconds(seconds[0]),
        mien_ms=milliseconds(seconds[1]),
        faces_found=f"{ours} against {theirs} of {len(places)}",
    )


def _added(model: Model, detector: str) -> Figure:
    content, _ = photo(1280, 720, 1)
    options = AnalysisOptions(detector=detector)
    analyzer, finder = Analyzer(options, model=model), create_detector(detector)

    def decode_and_detect() -> None:
        finder.detect(images.load(content), options)

    seconds = alternate(decode_and_detect, lambda: analyzer.analyze(content))
    return figure(
        f"1280×720, one face, {detector}: part that Mien adds to decoding and detection",
        1 - seconds[0] / seconds[1],
        limit=ADDED_AT_MOST,
        unit="of the total",
        decode_and_detect_ms=milliseconds(seconds[0]),
        total_ms=milliseconds(seconds[1]),
    )

"""The analyzer: from any picture to its faces and their emotions."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.core import images
from mien.core.errors import MienError, OptionError
from mien.core.geometry import Box, Landmarks
from mien.core.options import AnalysisOptions
from mien.core.results import ImageAnalysis, Quality
from mien.pipeline.detect import GIVEN, Detection, create_detector, given_detections
from mien.pipeline.steps import Steps
from mien.zoo.registry import Model, load_model

Boxes: TypeAlias = Sequence[Box | Sequence[float]]
LandmarkSets: TypeAlias = Sequence[Landmarks | Sequence[Sequence[float]] | NDArray[Any]]

_NO_ROWS: NDArray[np.float64] = np.empty((0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A picture whose faces were found and cut out; its pixels are no longer needed."""

    source: str | None
    width: int
    height: int
    detector: str
    detections: list[Detection]
    qualities: list[Quality]
    crops: NDArray[np.uint8]
    elapsed_s: float


class Analyzer:
    """Finds faces and reads their emotions; holds a detector and a model, and is safe between threads.

    Args:
        options: how pictures are read; the defaults where None.
        model: a name, a path of an ONNX file with its card, or a loaded model; None is MODEL_PATH where
            that is set, else the default model.
        threads: of the classifier in one call; None leaves it to ONNX Runtime.
        device: "auto", "cpu" or "cuda".
        **overrides: any field of AnalysisOptions, in place of the one in `options`.

    Raises:
        OptionError: an option is unknown or out of range.
        ModelError: the model or detector cannot be used.

    Example:
        >>> with Analyzer(detector="haar", min_face=40) as analyzer:  # doctest: +SKIP
        ...     analyzer.analyze("photo.jpg").faces[0].emotion
        'happy'
    """

    def __init__(
        self,
        options: AnalysisOptions | None = None,
        *,
        model: str | os.PathLike[str] | Model | None = None,
        threads: int | None = None,
        device: str = "auto",
        **overrides: Any,
    ) -> None:
        self._options = _with_overrides(options, overrides)
        self._options_digest = self._options.digest()
        self.steps = Steps(
            create_detector(self._options.detector),
            model if isinstance(model, Model) else load_model(model, threads=threads, device=device),
            self._options,
        )

    @property
    def options(self) -> AnalysisOptions:
        """How pictures are read."""
        return self._options

    @property
    def model(self) -> Model:
        """The classifier."""
        return self.steps.model

    @property
    def detector(self) -> str:
        """Name of the detector in use: never "auto" but what that came to."""
        return self.steps.detector.name

    def __enter__(self) -> Analyzer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing has to be released yet; the `with` block says where an analyzer's use ends."""

    def analyze(
        self,
        source: images.ImageSource,
        *,
        boxes: Boxes | None = None,
        landmarks: LandmarkSets | None = None,
        color: str = "rgb",
    ) -> ImageAnalysis:
        """Return every face of one picture, largest first.

        Args:
            source: a path, bytes, a binary file, a Pillow image, or an array (H, W, 3) or (H, W).
            boxes: faces that are already known, (x, y, width, height) in pixels; no detector runs.
            landmarks: five points a face, (5, 2) in pixels; no detector runs.
            color: order of the channels of an array: "rgb", "bgr" or "gray".

        Raises:
            ImageError: the picture cannot be read.
            OptionError: `color`, `boxes` or `landmarks` have a value that cannot be used.
        """
        return self.analyze_with_crops(source, boxes=boxes, landmarks=landmarks, color=color)[0]

    def analyze_with_crops(
        self,
        source: images.ImageSource,
        *,
        boxes: Boxes | None = None,
        landmarks: LandmarkSets | None = None,
        color: str = "rgb",
    ) -> tuple[ImageAnalysis, NDArray[np.uint8]]:
        """Return what `analyze` does, and the crop of every face as the network read it.

        The crops are uint8 (faces, height, width) grey, or (faces, height, width, 3) where the model's card
        says RGB, after the options' filters, in the order of the faces.
        """
        prepared = self._prepare(source, boxes, landmarks, color)
        start = time.perf_counter()
        crops = self.steps.filter(prepared.crops)
        probabilities = self.steps.score(crops)
        elapsed_s = prepared.elapsed_s + time.perf_counter() - start
        return self._result(prepared, probabilities, elapsed_s), crops

    def analyze_many(
        self, sources: Iterable[images.ImageSource], *, batch_size: int = 16, color: str = "rgb"
    ) -> Iterator[ImageAnalysis | MienError]:
        """Yield a result, or the error that took its place, for every picture and in their order.

        The faces of `batch_size` pictures are classified together. Pictures are read when their batch
        comes up, one at a time, and only crops are kept, so memory does not grow with the number of
        pictures. One bad picture never stops the rest.

        Args:
            sources: any number of what `analyze` takes.
            batch_size: pictures a batch, at least 1.
            color: as in `analyze`.

        Raises:
            OptionError: `batch_size` is below 1, or `sources` is one picture or folder instead of several.
        """
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise OptionError(f"batch_size has to be a whole number of at least 1, not {batch_size!r}")
        if isinstance(sources, (str, bytes, bytearray, os.PathLike)):
            # Text is iterable too: each of its letters would be taken for a path.
            kind = type(sources).__name__
            raise OptionError(f"sources has to be several pictures, not one {kind}; give a list of them")
        return self._many(iter(sources), batch_size, color)

    def _many(
        self, sources: Iterator[images.ImageSource], batch_size: int, color: str
    ) -> Iterator[ImageAnalysis | MienError]:
        while True:
            batch: list[_Prepared | MienError] = []
            failure: Exception | None = None
            try:
                for source in islice(sources, batch_size):
                    batch.append(self._try_prepare(source, color))
            except Exception as error:
                failure = error  # raised below: what was read before it is not lost
            yield from self._finish(batch)
            if failure is not None:
                raise failure
            if not batch:
                return

    def _try_prepare(self, source: images.ImageSource, color: str) -> _Prepared | MienError:
        try:
            return self._prepare(source, None, None, color)
        except MienError as error:
            return error

    def _finish(self, batch: list[_Prepared | MienError]) -> Iterator[ImageAnalysis | MienError]:
        with_faces = [item.crops for item in batch if isinstance(item, _Prepared) and len(item.crops)]
        probabilities, failure = _NO_ROWS, None
        start = time.perf_counter()
        try:
            if with_faces:
                probabilities = self.steps.score(self.steps.filter(np.concatenate(with_faces)))
        except MienError as error:
            failure = error
        each_s = (time.perf_counter() - start) / max(sum(map(len, with_faces)), 1)
        first = 0
        for item in batch:
            if isinstance(item, MienError):
                yield item
                continue
            count = len(item.crops)
            if count and failure is not None:
                yield failure
                continue
            rows = probabilities[first : first + count]
            yield self._result(item, rows, item.elapsed_s + count * each_s)
            first += count

    def _prepare(
        self,
        source: images.ImageSource,
        boxes: Boxes | None,
        landmarks: LandmarkSets | None,
        color: str,
    ) -> _Prepared:
        start = time.perf_counter()
        image = images.load(source, color=color, max_pixels=self._options.max_pixels)
        height, width = image.shape[:2]
        given = boxes is not None or landmarks is not None
        detections = given_detections(width, height, boxes, landmarks) if given else self.steps.detect(image)
        crops, qualities = self.steps.cut(image, detections)
        return _Prepared(
            source=images.describe_source(source),
            width=width,
            height=height,
            detector=GIVEN if given else self.detector,
            detections=detections,
            qualities=qualities,
            crops=crops,
            elapsed_s=time.perf_counter() - start,
        )

    def _result(
        self, prepared: _Prepared, probabilities: NDArray[np.float64], elapsed_s: float
    ) -> ImageAnalysis:
        rows = zip(prepared.detections, prepared.qualities, probabilities.tolist(), strict=True)
        return ImageAnalysis(
            faces=tuple(self.steps.face(*row) for row in rows),
            width=prepared.width,
            height=prepared.height,
            model=self.model.reference,
            detector=prepared.detector,
            options=self._options_digest,
            elapsed_s=elapsed_s,
            source=prepared.source,
        )


def _with_overrides(options: AnalysisOptions | None, overrides: dict[str, Any]) -> AnalysisOptions:
    known = [option.name for option in fields(AnalysisOptions)]
    if unknown := sorted(set(overrides) - set(known)):
        raise OptionError(f"unknown option {unknown[0]!r}; choose from {', '.join(known)}")
    return replace(options or AnalysisOptions(), **overrides)


def analyze(
    source: images.ImageSource,
    *,
    model: str | os.PathLike[str] | Model | None = None,
    boxes: Boxes | None = None,
    landmarks: LandmarkSets | None = None,
    color: str = "rgb",
    threads: int | None = None,
    device: str = "auto",
    **options: Any,
) -> ImageAnalysis:
    """Return every face of one picture with its emotion, largest first.

    The detector and the model are loaded once and kept for the next call with the same options; for
    many pictures `Analyzer.analyze_many` is quicker.

    Args:
        source: a path, bytes, a binary file, a Pillow image, or an array (H, W, 3) or (H, W).
        model: as in `Analyzer`.
        boxes: faces that are already known, (x, y, width, height) in pixels; no detector runs.
        landmarks: five points a face, (5, 2) in pixels; no detector runs.
        color: order of the channels of an array: "rgb", "bgr" or "gray".
        threads: as in `Analyzer`.
        device: as in `Analyzer`.
        **options: any field of AnalysisOptions, such as detector="haar" or min_face=40.

    Raises:
        ImageError: the picture cannot be read.
        ModelError: the model or detector cannot be used.
        OptionError: an option is unknown or out of range.
    """
    settings = _with_overrides(None, options)
    if isinstance(model, Model):
        analyzer = Analyzer(settings, model=model)
    else:
        name = model if model is None or isinstance(model, str) else Path(model)
        analyzer = _cached(settings, name, os.environ.get("MODEL_PATH"), threads, device)
    return analyzer.analyze(source, boxes=boxes, landmarks=landmarks, color=color)


@lru_cache(maxsize=8)
def _cached(
    options: AnalysisOptions,
    model: str | Path | None,
    model_path: str | None,
    threads: int | None,
    device: str,
) -> Analyzer:
    """Keep an analyzer; `model_path`, which says what no `model` means, is there to tell calls apart."""
    return Analyzer(options, model=model, threads=threads, device=device)

"""A film under analysis: its frames with their faces, one after another, and what it all comes to."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import fields, replace
from types import TracebackType
from typing import Any, Self

from mien.core.errors import OptionError
from mien.core.files import valid_text
from mien.core.film import Damage, FilmHead
from mien.core.film_results import FilmSummary
from mien.core.machine import threads_beside_decoding
from mien.core.options import AnalysisOptions
from mien.core.results import FrameAnalysis
from mien.core.video_options import VideoOptions
from mien.pipeline.analyzer import Analyzer
from mien.video.analyze import FrameReader
from mien.video.frames import Frame, Source
from mien.video.open import SourceName, open_source
from mien.video.prefetch import Prefetch
from mien.video.timeline import Timeline
from mien.zoo.registry import Model


class VideoAnalysis:
    """The frames of a film with their faces, to be gone through once; constant memory.

    Attributes:
        head: the source, and what repeats the result.
        labels: of the model, in card order.

    Example:
        >>> with mien.analyze_video("interview.mp4") as video:  # doctest: +SKIP
        ...     for frame in video:
        ...         print(frame.time_s, [face.emotion for face in frame.faces])
        ...     print(video.summary().dominant)
    """

    def __init__(
        self, source: Source, analyzer: Analyzer, options: VideoOptions, *, name: str | None = None
    ) -> None:
        self._source = Prefetch(source)
        self._reader = FrameReader(analyzer.steps, options)
        self.head = FilmHead(
            source=source.info if name is None else replace(source.info, name=valid_text(name)),
            labels=analyzer.model.card.labels,
            model=analyzer.model.reference,
            detector=analyzer.detector,
            options=analyzer.options.digest(),
            video_options=options.digest(),
        )
        self.labels = self.head.labels
        self._timeline = Timeline(self.head)
        self._complete = False
        self._pairs = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and close the film; what was read stays in the summary."""
        self._pairs.close()
        self._source.close()

    def __iter__(self) -> Iterator[FrameAnalysis]:
        """Give the frames that are left, as they are read.

        Raises:
            VideoError: the film cannot be read on.
        """
        for _, analysis in self._pairs:
            yield analysis

    def pairs(self) -> Iterator[tuple[Frame, FrameAnalysis]]:
        """Give the frames that are left, with their pixels."""
        yield from self._pairs

    @property
    def damage(self) -> tuple[Damage, ...]:
        """Stretches that could not be decoded, among what was read so far."""
        return self._source.damage

    def summary(self) -> FilmSummary:
        """Read what is left, and return what the film comes to: persons, their emotions, events.

        After `close` it is the summary of what was read, and says that it is not complete.
        """
        for _ in self._pairs:
            pass
        return self._timeline.summary(complete=self._complete, damage=self._source.damage)

    @property
    def timeline(self) -> Timeline:
        """Of what was read so far."""
        return self._timeline

    def _read(self) -> Generator[tuple[Frame, FrameAnalysis], None, None]:
        for frame, analysis in self._reader.read(self._source):
            self._timeline.add(analysis)
            yield frame, analysis
        self._complete = True


def analyze_video(
    source: SourceName,
    *,
    model: str | os.PathLike[str] | Model | None = None,
    threads: int | None = None,
    device: str = "auto",
    **options: Any,
) -> VideoAnalysis:
    """Return the frames of a film with their faces: followed, read and steadied as they are asked for.

    Args:
        source: the path of a film, or of a folder of frames.
        model: as in `Analyzer`.
        threads: as in `Analyzer`; without it, all processors but one.
        device: as in `Analyzer`.
        **options: any field of AnalysisOptions or VideoOptions, such as detector="haar", every=5 or start=60.

    Raises:
        VideoError: the film cannot be read.
        ModelError: the model or detector cannot be used.
        OptionError: an option is unknown or out of range.
    """
    pictures, moving = split_options(options)
    analyzer = Analyzer(pictures, model=model, threads=threads_beside_decoding(threads), device=device)
    opened = open_source(source, moving, max_pixels=pictures.max_pixels)
    return VideoAnalysis(opened, analyzer, moving)


def split_options(options: dict[str, Any]) -> tuple[AnalysisOptions, VideoOptions]:
    """Return options by name as the two tables they belong to.

    Raises:
        OptionError: an option is in neither, or out of range.
    """
    names = [{option.name for option in fields(table)} for table in (AnalysisOptions, VideoOptions)]
    if unknown := sorted(set(options) - names[0] - names[1]):
        known = ", ".join(sorted(names[0] | names[1]))
        raise OptionError(f"unknown option {unknown[0]!r}; choose from {known}")
    pictures = {name: value for name, value in options.items() if name in names[0]}
    moving = {name: value for name, value in options.items() if name in names[1]}
    return replace(AnalysisOptions(), **pictures), replace(VideoOptions(), **moving)

"""The worker for films: one after another in this process, whose processors each of them uses."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.batch.items import Item, Outcome
from mien.batch.ledger import Ledger
from mien.batch.targets import is_folder
from mien.core.errors import MienError, OutputError, VideoError
from mien.core.files import ensure_folder, shown
from mien.core.machine import threads_beside_decoding
from mien.core.options import AnalysisOptions
from mien.core.video_options import DEFAULT_RATE, VideoOptions

if TYPE_CHECKING:
    from mien.core.film import FilmFrame
    from mien.core.film_results import FilmSummary
    from mien.pipeline.analyzer import Analyzer
    from mien.video.analysis import VideoAnalysis
    from mien.video.annotated import AnnotatedFilm
    from mien.video.outputs import FilmOutputs
    from mien.zoo.registry import Model

ANNOTATED = "-annotated.mp4"


@dataclass(frozen=True)
class FilmWorker:
    """Analyses films and writes what their targets ask for.

    A target is a folder, which gets everything (where the item says so, there is one, or no suffix tells
    otherwise), or one file: a film (.mp4, .mov, .mkv) is the annotated one, and any other suffix is that of
    `mien.video.outputs.SUFFIXES`.

    Attributes:
        options: of each picture.
        video: of moving pictures.
        model: name or path; None for the default.
        threads: of the classifier; None leaves it to the runtime.
        device: "auto", "cpu" or "cuda".
        rate: frames a second, where a folder's pictures are the frames.
        annotated: a folder gets the annotated film too.
        drawing: keyword arguments of `mien.render.Annotator`.
        loaded: `model`, already loaded.
        on_frame: called with every frame as it is read.
        on_time: called with the seconds that were read, and the film's length where it is known.
    """

    options: AnalysisOptions = field(default_factory=AnalysisOptions)
    video: VideoOptions = field(default_factory=VideoOptions)
    model: str | Path | None = None
    threads: int | None = None
    device: str = "auto"
    rate: float = DEFAULT_RATE
    annotated: bool = True
    drawing: dict[str, Any] = field(default_factory=dict)
    loaded: Model | None = None
    on_frame: Callable[[FilmFrame], None] | None = None
    on_time: Callable[[float, float | None], None] | None = None


def run_films(
    items: Sequence[Item],
    worker: FilmWorker,
    *,
    ledger: Ledger | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> Generator[Outcome, None, None]:
    """Yield one outcome for every film, in the order of `items`.

    A film that cannot be read stops none of the others. What `ledger` has is not done again. Once
    `is_cancelled` says yes the run ends: what was read of the present film is written, says that it is not
    complete, and is yielded; it is not in the ledger, so that the next run reads the film anew. Where the
    target holds the complete results of an earlier run, these stay instead.

    Raises:
        MienError: the work cannot go on at all: no model, no room for results.
    """
    from mien.pipeline.analyzer import Analyzer

    cancelled = is_cancelled or (lambda: False)
    model = worker.model if worker.loaded is None else worker.loaded
    analyzer: Analyzer | None = None
    for item in items:
        if cancelled():
            return
        if item.error is not None:
            yield Outcome(item, error=item.error)
            continue
        if ledger is not None and (known := ledger.find_film(item)) is not None:
            yield Outcome(item, film=known, repeated=True)
            continue
        analyzer = analyzer or Analyzer(
            worker.options, model=model, threads=worker.threads, device=worker.device
        )
        spare = _is_better(item)
        try:
            summary = _analysed(item, worker, analyzer, cancelled, spare)
        except OutputError:
            raise  # no room or no right to write: the others would fail as well
        except MienError as error:
            yield Outcome(item, error=error)
            continue
        if ledger is not None and summary.complete:
            ledger.add(item, summary)
        yield Outcome(item, film=summary, spared=spare and not summary.complete)


class _Cancelled(KeyboardInterrupt):
    """Ends the writers as Ctrl-C does: with what was read until then."""


def _analysed(
    item: Item, worker: FilmWorker, analyzer: Analyzer, cancelled: Callable[[], bool], spare: bool
) -> FilmSummary:
    from mien.video.analysis import VideoAnalysis
    from mien.video.open import open_stored

    assert isinstance(item.source, Path)
    source = open_stored(item.source, worker.video, rate=worker.rate, max_pixels=worker.options.max_pixels)
    is_new = item.target is not None and not item.target.exists()
    with VideoAnalysis(source, analyzer, worker.video, name=item.name) as video:
        try:
            with ExitStack() as stack:
                outputs, film = _opened(video, item, worker, stack, spare)
                _read(video, worker, outputs, film, cancelled)
                _check_read(video, worker.video)
        except _Cancelled:
            video.close()
        except OutputError as error:
            if spare or item.target is None or not _holds_results(item.target):
                raise
            raise OutputError(
                f"{error}; what was read of {shown(item.name)} until then is in {shown(item.target)}"
            ) from error
        except MienError:
            if is_new and item.target is not None and item.target.is_dir():
                with suppress(OSError):  # something was written
                    item.target.rmdir()
            raise
        return video.summary()


def _check_read(video: VideoAnalysis, options: VideoOptions) -> None:
    """Refuse a film of which no frame was wanted: files without a frame are no results."""
    if video.timeline.frames:
        return
    source = video.head.source
    length = "" if source.duration_s is None else f", which is {source.duration_s:.1f} s long"
    until = "its end" if options.end is None else f"{options.end:g} s"
    raise VideoError(
        f"there is no frame between {options.start:g} s and {until} of {shown(source.name)}{length}; "
        "choose another stretch with --start and --end"
    )


def _holds_results(target: Path) -> bool:
    if not target.is_dir():
        return target.is_file()
    return any(not path.name.startswith(".") for path in target.iterdir())


def _is_better(item: Item) -> bool:
    """Tell whether the item's target holds more than an interrupted run would leave there."""
    from mien.video.outputs import earlier_stays, film_stem

    return item.target is not None and earlier_stays(item.target, film_stem(item.name))


def _read(
    video: VideoAnalysis,
    worker: FilmWorker,
    outputs: FilmOutputs | None,
    film: AnnotatedFilm | None,
    cancelled: Callable[[], bool],
) -> None:
    from mien.core.film import FilmFrame

    length_s = _length(video, worker.video)
    for frame, analysis in video.pairs():
        if film is not None:
            film.write(frame, analysis)
        if outputs is not None:
            outputs.write(analysis)
            outputs.note_damage(video.damage)
        if worker.on_frame is not None:
            worker.on_frame(FilmFrame.of(video.head, analysis))
        if worker.on_time is not None:
            worker.on_time(max(0.0, analysis.time_s - worker.video.start), length_s)
        if cancelled():
            raise _Cancelled
    if film is not None:
        film.finish()  # a full disk is told before the tables say that all is complete


def _opened(
    video: VideoAnalysis, item: Item, worker: FilmWorker, stack: ExitStack, spare: bool
) -> tuple[FilmOutputs | None, AnnotatedFilm | None]:
    """Open what the item's target asks for: tables with what it came to, and the annotated film."""
    from mien.video.outputs import FilmOutputs, film_stem
    from mien.video.write import SUFFIXES

    target = item.target
    if target is None:
        return None, None
    fills_folder = item.fills_folder or is_folder(target)
    if not fills_folder and target.suffix.lower() in SUFFIXES:
        return None, stack.enter_context(_annotated(video, item, worker, target, spare))
    film = None
    language = worker.drawing.get("language", "en")
    if fills_folder:
        ensure_folder(target)  # from here on it is seen to be one
        if worker.annotated:
            place = target / f"{film_stem(item.name)}{ANNOTATED}"
            film = stack.enter_context(_annotated(video, item, worker, place, spare))
    outputs = FilmOutputs(
        target,
        video.head,
        language=language,
        timeline=video.timeline,
        spare=spare,
        annotated_from=None if film is None else worker.video.start,
    )
    return stack.enter_context(outputs), film


def _annotated(
    video: VideoAnalysis, item: Item, worker: FilmWorker, path: Path, spare: bool
) -> AnnotatedFilm:
    from mien.render import Annotator
    from mien.video.annotated import AnnotatedFilm
    from mien.video.write import FilmWriter

    if isinstance(item.source, Path) and path.resolve() == item.source.resolve():
        raise OutputError(f"{shown(path)} is the film that is read; name another file")
    source = video.head.source
    writer = FilmWriter(
        path,
        source.width,
        source.height,
        rate=source.rate or worker.rate,
        sound=item.source if source.has_sound and isinstance(item.source, Path) else None,
        start_s=worker.video.start,
        threads=threads_beside_decoding(),
        drawn=True,
        spare=spare,
    )
    return AnnotatedFilm(writer, Annotator(**worker.drawing))


def _length(video: VideoAnalysis, options: VideoOptions) -> float | None:
    """Return how many seconds are to be read, where the film says how long it is."""
    declared = video.head.source.duration_s
    if declared is None:
        return options.end and options.end - options.start
    return max(0.0, min(declared, options.end or declared) - options.start)

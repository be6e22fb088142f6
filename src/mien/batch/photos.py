"""The worker for photos: one Analyzer in each process, annotated pictures written where they were made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.batch.executors import Analyse
from mien.batch.items import Item
from mien.core.errors import MienError, OutputError
from mien.core.files import ensure_folder, shown
from mien.core.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.core.results import ImageAnalysis
    from mien.pipeline.analyzer import Analyzer
    from mien.render import Annotator
    from mien.zoo.registry import Model

# Every format that is written holds a picture of this many pixels a side.
_SAFE_SIDE = 16_383


@dataclass(frozen=True)
class PhotoWorker:
    """Analyses photos, and draws on them where items have a target.

    Attributes:
        options: what can change a result.
        model: name or path; None for the default.
        threads: of one process; None leaves it to the runtime.
        device: "auto", "cpu" or "cuda".
        drawing: keyword arguments of `mien.render.Annotator`.
        loaded: `model`, already loaded; used in this process, not sent to others.
    """

    options: AnalysisOptions = field(default_factory=AnalysisOptions)
    model: str | Path | None = None
    threads: int | None = None
    device: str = "auto"
    drawing: dict[str, Any] = field(default_factory=dict)
    loaded: Model | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "loaded": None}

    @contextmanager
    def open(self) -> Iterator[Analyse]:
        """Load the model and the detector."""
        from mien.pipeline.analyzer import Analyzer

        model = self.model if self.loaded is None else self.loaded
        with Analyzer(self.options, model=model, threads=self.threads, device=self.device) as analyzer:
            yield _Run(self, analyzer)


class _Run:
    """One process's work: what is loaded once, used for every batch."""

    def __init__(self, worker: PhotoWorker, analyzer: Analyzer) -> None:
        self._worker = worker
        self._analyzer = analyzer
        self._annotator: Annotator | None = None

    def __call__(self, items: Sequence[Item]) -> list[ImageAnalysis | MienError]:
        results = self._analysed(items)
        return [self._finished(item, result) for item, result in zip(items, results, strict=True)]

    def _analysed(self, items: Sequence[Item]) -> list[ImageAnalysis | MienError]:
        sources = [_source(item) for item in items]
        try:
            return list(self._analyzer.analyze_many(sources, batch_size=len(items)))
        except Exception:
            # Whatever a library raised for one picture must not cost the others theirs.
            return [_guarded(item, partial(self._analyzer.analyze, _source(item))) for item in items]

    def _finished(self, item: Item, result: ImageAnalysis | MienError) -> ImageAnalysis | MienError:
        from mien.core.images import describe_source

        if isinstance(result, MienError):
            return result
        analysis = replace(result, source=describe_source(item.name))
        if item.target is None:
            return analysis
        return _guarded(item, partial(self._draw, item, item.target, analysis))

    def _draw(self, item: Item, target: Path, analysis: ImageAnalysis) -> ImageAnalysis:
        from mien.core import images

        picture = images.load(_source(item), max_pixels=self._worker.options.max_pixels)
        drawn = self._ready_annotator().annotate(picture, analysis)
        ensure_folder(target.parent)
        try:
            images.save(drawn, target, drawn=True)
        except OutputError as error:
            if max(drawn.shape) <= _SAFE_SIDE:
                raise
            raise MienError(str(error)) from error  # the picture is to blame, not the place
        return analysis

    def _ready_annotator(self) -> Annotator:
        if self._annotator is None:
            from mien.render import Annotator

            self._annotator = Annotator(**self._worker.drawing)
        return self._annotator


def _source(item: Item) -> Path | bytes:
    assert item.source is not None, "run hands over no item that has nothing to read"
    return item.source


def _guarded(item: Item, action: Callable[[], ImageAnalysis]) -> ImageAnalysis | MienError:
    try:
        return action()
    except OutputError:
        raise  # no room or no right to write: the others would fail as well
    except MienError as error:
        return error
    except Exception as error:
        return MienError(
            f"{shown(item.name)} could not be analysed ({type(error).__name__}: {error}); leave it out"
        )

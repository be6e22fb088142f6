"""The annotated film: drawn and encoded in a thread of its own, while the next frames are analysed."""

from __future__ import annotations

import threading
from queue import Full, Queue
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mien.core.results import FrameAnalysis
from mien.render import Annotator
from mien.video.frames import Frame
from mien.video.write import FilmWriter

_WAITING = 8
_PATIENCE_S = 0.1


class AnnotatedFilm:
    """Draws what was found on each frame and writes it to a film; a `with` block, as the writer's.

    Args:
        writer: of the film, not yet open.
        annotator: draws.

    Raises:
        OutputError: the film cannot be written; said at the next frame, or at the end of the block.
    """

    def __init__(self, writer: FilmWriter, annotator: Annotator | None = None) -> None:
        self._writer = writer
        self._annotator = annotator or Annotator()
        self._queue: Queue[tuple[Frame, FrameAnalysis] | None] = Queue(_WAITING)
        self._failure: BaseException | None = None
        self._canvas: NDArray[np.uint8] | None = None
        self._thread = threading.Thread(target=self._encode, name="mien-encode", daemon=True)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        failure, self._failure = self._failure, None
        if failure is not None and kind is None:
            self._writer.__exit__(type(failure), failure, failure.__traceback__)
            raise failure
        self._writer.__exit__(kind, error, trace)

    def write(self, frame: Frame, analysis: FrameAnalysis) -> None:
        """Add a frame; waits while the encoder is behind."""
        if self._failure is not None:
            raise self._failure
        self._put((frame, analysis))

    def finish(self) -> None:
        """Wait until all frames are encoded; none comes any more.

        Raises:
            OutputError: the film cannot be written.
        """
        self._end()
        if self._failure is not None:
            raise self._failure

    def _end(self) -> None:
        if self._thread.is_alive():
            self._put(None)
            self._thread.join()

    def _put(self, item: tuple[Frame, FrameAnalysis] | None) -> None:
        # A thread that failed takes nothing more out of the queue.
        while self._failure is None:
            try:
                return self._queue.put(item, timeout=_PATIENCE_S)
            except Full:
                continue

    def _encode(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                frame, analysis = item
                self._writer.write(self._drawn(frame, analysis), frame.time_s)
        except BaseException as error:
            self._failure = error

    def _drawn(self, frame: Frame, analysis: FrameAnalysis) -> NDArray[np.uint8]:
        pixels = frame.pixels
        if self._canvas is None or self._canvas.shape != pixels.shape:
            self._canvas = np.empty_like(pixels, order="C")
        # One canvas for all frames: fresh memory for each takes longer than copying and drawing.
        np.copyto(self._canvas, pixels)
        self._annotator.draw(self._canvas, analysis.faces)
        return self._canvas

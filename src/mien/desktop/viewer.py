"""Decodes what is to be seen, in a thread of its own: a photo, a frame of a film, a film that plays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from mien.batch import Item
from mien.core import images
from mien.core.errors import MienError
from mien.core.options import AnalysisOptions
from mien.core.results import Face
from mien.core.video_options import VideoOptions
from mien.desktop.picture_view import to_image
from mien.desktop.reading import Models
from mien.pipeline.align import crops
from mien.pipeline.detect import given_detections
from mien.pipeline.preprocess import edges, preprocess
from mien.video.open import open_live, open_stored

_LONGEST = 1600  # of a picture on the screen; larger ones only cost time to draw
_MOST_PREVIEWED = 50


@dataclass(frozen=True)
class Wish:
    """What is to be seen.

    Attributes:
        item: a photo or a film.
        time_s: in a film.
        plays: the film goes on from there.
        options: whose filters are shown.
        faces: gives the faces of the item at a time, whose boxes and crops are shown.
    """

    item: Item
    options: AnalysisOptions
    time_s: float = 0.0
    plays: bool = False
    faces: Callable[[float], Sequence[Face]] = lambda time_s: ()


@dataclass(frozen=True)
class Seen:
    """A picture for the screen.

    Attributes:
        wish: that it fulfils.
        image: the picture, at most 1600 pixels a side; null where `error` says why.
        width: of the original, which boxes are measured in.
        time_s: of the frame.
        faces: in it.
        previews: of each face: before, after the filters, and edges.
        error: why there is none; None otherwise.
        ended: the film has played to its end.
    """

    wish: Wish
    image: QImage = field(default_factory=QImage)
    width: int = 1
    time_s: float = 0.0
    faces: Sequence[Face] = ()
    previews: tuple[tuple[QImage, QImage, QImage], ...] = ()
    error: MienError | None = None
    ended: bool = False


class Viewer(QObject):
    """Fulfils the newest wish; older ones are dropped."""

    seen = Signal(object)

    def __init__(self, models: Models) -> None:
        super().__init__()
        self._models = models
        self._changed = threading.Condition()
        self._wish: Wish | None = None
        self._closed = False
        self._free = threading.Event()  # the window has drawn what it got
        self._thread = threading.Thread(target=self._run, name="mien-desktop-view", daemon=True)
        self._thread.start()

    def show(self, wish: Wish) -> None:
        """Wish for something else."""
        with self._changed:
            self._wish = wish
            self._changed.notify_all()

    def drawn(self) -> None:
        """Say that the last picture was drawn, so that the next may come."""
        self._free.set()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self, timeout: float) -> None:
        """Wait for the thread."""
        self._thread.join(timeout)

    def _run(self) -> None:
        while (wish := self._next()) is not None:
            try:
                if wish.plays:
                    self._play(wish)
                else:
                    self.seen.emit(self._look(wish))
            except MienError as error:
                self.seen.emit(Seen(wish, error=error))
            except Exception as error:
                self.seen.emit(Seen(wish, error=MienError(f"{type(error).__name__}: {error}")))

    def _next(self) -> Wish | None:
        with self._changed:
            self._changed.wait_for(lambda: self._wish is not None or self._closed)
            wish, self._wish = self._wish, None
            return None if self._closed else wish

    def _look(self, wish: Wish) -> Seen:
        pixels, time_s = load_pixels(wish.item, wish.time_s, wish.options)
        faces = wish.faces(wish.time_s)
        previews = _previews(pixels, faces, wish.options, self._models)
        return Seen(wish, to_image(_small(pixels)), pixels.shape[1], time_s, faces, previews)

    def _play(self, wish: Wish) -> None:
        assert isinstance(wish.item.source, Path)
        self._free.set()
        source = open_live(str(wish.item.source), VideoOptions(start=wish.time_s))
        try:
            for frame in source:
                if self._wish is not None or self._closed:
                    return
                if self._free.is_set():  # a frame that the window has no time for is left out
                    self._free.clear()
                    shown = to_image(_small(frame.pixels))
                    faces = wish.faces(frame.time_s)
                    self.seen.emit(Seen(wish, shown, frame.pixels.shape[1], frame.time_s, faces))
        finally:
            source.close()
        self.seen.emit(Seen(wish, ended=True))


def load_pixels(item: Item, time_s: float, options: AnalysisOptions) -> tuple[NDArray[np.uint8], float]:
    """Return a photo, or the frame of a film that is shown at `time_s`, and when it is.

    Raises:
        MienError: it cannot be read, or there is no such frame.
    """
    if not item.is_film:
        assert item.source is not None
        return images.load(item.source, max_pixels=options.max_pixels), 0.0
    assert isinstance(item.source, Path)
    source = open_stored(item.source, VideoOptions(start=max(0.0, time_s - 1e-4)))
    try:
        for frame in source:
            return frame.pixels, frame.time_s
    finally:
        source.close()
    raise MienError(f"the film has no frame at {time_s:.2f} s")


def _previews(
    pixels: NDArray[np.uint8], found: Sequence[Face], options: AnalysisOptions, models: Models
) -> tuple[tuple[QImage, QImage, QImage], ...]:
    """Return of each face what the network reads before the filters and after them, and its edges."""
    faces = found[:_MOST_PREVIEWED]
    if not faces:
        return ()
    height, width = pixels.shape[:2]
    marks = [face.landmarks for face in faces if face.landmarks is not None]
    by_marks = marks if len(marks) == len(faces) else None
    detections = given_detections(width, height, [face.box for face in faces], by_marks)
    before = crops(pixels, detections, models.get().card)
    after = preprocess(before, median_size=options.median, equalise=options.clahe)
    return tuple(
        (to_image(one), to_image(other), to_image(edges(other)))
        for one, other in zip(before, after, strict=True)
    )


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = _LONGEST / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

"""Photos and films are read by `batch`, in whichever thread calls."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage, QImageWriter

from mien import batch
from mien.core.machine import threads_beside_decoding
from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions
from mien.desktop.film_frames import FilmFrames
from mien.desktop.jobs import Work
from mien.desktop.shares import Shares
from mien.zoo.registry import Model, load_model


@dataclass(frozen=True)
class Planned:
    """Inputs that were found."""

    items: tuple[batch.Item, ...]


@dataclass(frozen=True)
class Begun:
    """A film is being read, and its frames appear."""

    item: batch.Item
    frames: FilmFrames


@dataclass(frozen=True)
class Reader:
    """How photos and films are read.

    Attributes:
        options: of each picture.
        models: gives the model, loaded once.
    """

    options: AnalysisOptions
    models: Models

    def open(self, work: Work, paths: Sequence[Path], pasted: QImage | None = None) -> None:
        """Find what is in `paths`, read it, and hand out Planned, Begun and Outcomes."""
        work.tell(-1, "")
        items = batch.plan(paths)
        if pasted is not None:
            items.append(pasted_item(pasted))
        work.found.emit(Planned(tuple(items)))
        self.read(work, items)

    def read(self, work: Work, items: Sequence[batch.Item]) -> None:
        """Read items and hand out Begun and Outcomes."""
        model = self.models.get()
        photos = [item for item in items if not item.is_film]
        shares = Shares(items, work.is_cancelled)
        worker = batch.PhotoWorker(self.options, loaded=model)
        for outcome in batch.run(photos, worker, batch_size=1, is_cancelled=work.is_cancelled):
            work.found.emit(outcome)
            work.tell(shares.finish(outcome.item), outcome.item.name)
        for item in items:
            if item.is_film and not work.is_cancelled():
                self._read_film(work, item, model, shares)
                shares.finish(item)

    def _read_film(self, work: Work, item: batch.Item, model: Model, shares: Shares) -> None:
        frames = FilmFrames()

        def tell(read_s: float, length_s: float | None) -> None:
            if length_s:
                work.tell(min(0.999, shares.within(item, min(1.0, read_s / length_s))), item.name)
            else:
                work.tell(-1, item.name)

        work.found.emit(Begun(item, frames))
        worker = batch.FilmWorker(
            self.options, VideoOptions(), loaded=model, on_frame=frames.add, on_time=tell
        )
        for outcome in batch.run_films([item], worker, is_cancelled=work.is_cancelled):
            work.found.emit(outcome)


class Models:
    """Loads the model when it is needed first; safe between threads."""

    def __init__(self, model: str | Path | Model | None = None) -> None:
        self._name = model
        self._lock = threading.Lock()

    def use(self, model: str | Path | Model) -> None:
        """Take another model from now on."""
        with self._lock:
            self._name = model

    def get(self) -> Model:
        """Return the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._lock:
            if not isinstance(self._name, Model):
                self._name = load_model(self._name, threads=threads_beside_decoding())
            return self._name


def pasted_item(image: QImage) -> batch.Item:
    """Return a picture from the clipboard as an item."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, b"png").write(image)
    data = bytes(buffer.data().data())
    digest = hashlib.sha256(data).hexdigest()
    return batch.Item(
        key=f"sha256:{digest}",
        name=f"pasted-{digest[:6]}.png",
        source=data,
        relative=PurePath(f"pasted-{digest[:6]}.png"),
        size=len(data),
    )

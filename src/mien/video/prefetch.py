"""Frames decoded ahead in a thread of their own, a bounded number of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue

from mien.video.frames import Damage, Frame, Source, SourceInfo

_MOST_BYTES = 64 * 2**20
_MOST_FRAMES = 16
_PATIENCE_S = 0.1


class Prefetch:
    """A source whose frames are made ready while others are worked on; it takes over the source.

    At most 16 frames wait, and at most 64 MB of them (two where they are larger than that). Errors reach
    whoever iterates, in their place.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        frame_bytes = 3 * source.info.width * source.info.height
        waiting = max(2, min(_MOST_FRAMES, _MOST_BYTES // frame_bytes))
        self._queue: Queue[Frame | BaseException | None] = Queue(waiting)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._decode, name="mien-decode", daemon=True)
        self._started = False

    @property
    def info(self) -> SourceInfo:
        """What is known before the frames."""
        return self._source.info

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What was lost so far."""
        return self._source.damage

    def __iter__(self) -> Iterator[Frame]:
        self._thread.start()
        self._started = True
        while True:
            item = self._queue.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Stop decoding and close the source."""
        self._stopped.set()
        if self._started:
            while self._thread.is_alive():
                try:
                    self._queue.get(timeout=_PATIENCE_S)
                except Empty:
                    continue
        self._source.close()

    def _decode(self) -> None:
        try:
            for frame in self._source:
                self._put(frame)
                if self._stopped.is_set():
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Frame | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                return self._queue.put(item, timeout=_PATIENCE_S)
            except Full:
                continue

"""One session for every live picture: window, browser, console and library subscribe to the same thing.

A thread reads the source and keeps its newest frame, another one analyses it; nothing queues, so what is
shown is never old, however slow the machine. What is written to the disk is written beside them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from mien.core.errors import MienError, OptionError, OutputError
from mien.core.video_options import VideoOptions
from mien.gallery.store import Gallery
from mien.live._stats import LiveStats, Meter
from mien.live._threads import Background, Newest
from mien.live.feed import Feed
from mien.live.shots import Keeper, LiveFrame, Notice
from mien.pipeline.steps import Steps
from mien.video.analyze import FrameReader
from mien.video.frames import Frame, SourceInfo
from mien.video.realtime import LiveSource

_TELL_AGAIN_S = 10.0  # between two problems of one kind: a full disk is one problem, not one a second


@dataclass(frozen=True, slots=True, eq=False)
class _Subscriber:
    on_frame: Callable[[LiveFrame], object]
    on_notice: Callable[[Notice], None]
    on_end: Callable[[BaseException | None], None]


class LiveSession:
    """Reads, analyses and hands out live pictures, until the source ends or `stop` is called; used once.

    Every method may be called from any thread. A `with` block starts it and stops it.

    Args:
        source: from `mien.video.open.open_live`; the session closes it.
        steps: detector, model and options of each picture, `Analyzer.steps`.
        options: of moving pictures.
        gallery: where `save_now` saves faces; the user's own without it.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        source: LiveSource,
        steps: Steps,
        options: VideoOptions | None = None,
        *,
        gallery: Gallery | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._reader = FrameReader(steps, options or VideoOptions())
        self._clock = clock
        self._gallery = gallery
        self._slot: Newest[tuple[Frame, float]] = Newest()
        self._meter = Meter()
        self._subscribers: tuple[_Subscriber, ...] = ()
        self._keepers: tuple[Keeper, ...] = ()
        self._files = Background("mien-live-files", lambda error: self._problem("files", error))
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._paused = False
        self._newest: LiveFrame | None = None
        self._error: BaseException | None = None
        self._told: dict[str, float] = {}
        self._lost = False
        self._threads: tuple[threading.Thread, ...] = ()
        source.listen(lambda text: self.tell(Notice(text, is_problem=True)))

    @property
    def info(self) -> SourceInfo:
        """What is known of the source."""
        return self._source.info

    @property
    def stats(self) -> LiveStats:
        """Frames per second, latency, dropped frames, up to now."""
        return self._meter.stats()

    @property
    def newest(self) -> LiveFrame | None:
        """The frame that was analysed last."""
        return self._newest

    @property
    def error(self) -> BaseException | None:
        """What ended the session, such as a camera that is gone; None while it runs or after a plain end."""
        return self._error

    @property
    def lost(self) -> bool:
        """Something that was to be written was not, or not whole, as on a full disk; a notice told of it."""
        return self._lost

    @property
    def ended(self) -> bool:
        """No frame comes any more."""
        return self._ended.is_set()

    @property
    def paused(self) -> bool:
        """No frame is analysed or handed out for now."""
        return self._paused

    @property
    def gallery(self) -> Gallery:
        """Where faces are saved."""
        with self._lock:
            if self._gallery is None:
                self._gallery = Gallery()
            return self._gallery

    def subscribe(
        self,
        on_frame: Callable[[LiveFrame], object],
        *,
        on_notice: Callable[[Notice], None] = lambda notice: None,
        on_end: Callable[[BaseException | None], None] = lambda error: None,
    ) -> Callable[[], None]:
        """Have every analysed frame handed out; return what ends that.

        The functions are called in the session's threads and should be quick: while `on_frame` runs, newer
        frames replace each other. One that raises ends the session with its error.

        Args:
            on_frame: gets every analysed frame.
            on_notice: gets what a person should read.
            on_end: called once, with the error that ended the session or None.
        """
        subscriber = _Subscriber(on_frame, on_notice, on_end)
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)
            late = self.ended
        if late:
            on_end(self._error)
        return lambda: self._unsubscribe(subscriber)

    def feed(self) -> Feed:
        """Return the frames to iterate over, the newest one each time."""
        return Feed(self)

    def keep(self, keeper: Keeper) -> Keeper:
        """Give every frame to `keeper` too, and close it at the end."""
        with self._lock:
            self._keepers = (*self._keepers, keeper)
        return keeper

    def release(self, keeper: Keeper) -> None:
        """End one keeper and close it, as to end a recording; waits for it."""
        with self._lock:
            known = keeper in self._keepers
            self._keepers = tuple(one for one in self._keepers if one is not keeper)
        if known:
            self._close(keeper)

    def start(self) -> None:
        """Begin; frames come from now on.

        Raises:
            OptionError: it was started or stopped already.
        """
        with self._lock:
            if self._threads or self._stopping.is_set():
                raise OptionError("a live session is used once; make a new one to start again")
            self._threads = (
                threading.Thread(target=self._read, name="mien-live-read", daemon=True),
                threading.Thread(target=self._work, name="mien-live-analyse", daemon=True),
            )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End and wait until everything is closed and written; does nothing more where it has ended.

        A network camera that does not answer is waited for as long as its time limit of five seconds.
        """
        with self._lock:
            first, started = not self._stopping.is_set(), bool(self._threads)
            self._stopping.set()
        if first:
            self._source.interrupt()
            self._slot.close(discard=True)
            if not started:
                self._source.close()
                self._finish()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; tell whether it came within `timeout` seconds."""
        return self._ended.wait(timeout)

    def pause(self) -> None:
        """Analyse and hand out nothing until `resume`; a camera is read on, and then shows the present."""
        self._paused = True

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False

    def save_now(self) -> int:
        """Save every face of the newest frame, whatever its quality; return how many there are.

        They are written in the background; a notice tells of each.
        """
        shot = self._newest
        if shot is None:
            return 0
        return sum(self.save(shot, index) for index in range(len(shot.analysis.faces)))

    def save(self, shot: LiveFrame, index: int, gallery: Gallery | None = None) -> bool:
        """Save the face `index` of a frame in the background; False where too much waits for the disk."""
        where, face = gallery or self.gallery, shot.analysis.faces[index]

        def write() -> None:
            saved = where.save(shot.frame.pixels, face, source=self.info.name)
            self.tell(Notice(f"saved {saved.name}"))

        if self._files.submit(write):
            return True
        self._problem("files", MienError("the disk is too slow: faces were not saved"))
        return False

    def clear(self) -> None:
        """Delete all saved faces, in the background; a notice tells how many. Ask the person first."""

        def clear() -> None:
            count = self.gallery.clear()
            faces = "face" if count == 1 else "faces"
            self.tell(Notice(f"deleted {count} saved {faces}"))

        self._files.submit(clear)

    def tell(self, notice: Notice) -> None:
        """Hand a notice to every subscriber."""
        self._lost = self._lost or notice.is_loss
        for subscriber in self._subscribers:
            subscriber.on_notice(notice)

    def _problem(self, kind: str, error: Exception) -> None:
        """Tell of a problem that the session survives; one kind at most every ten seconds."""
        if not isinstance(error, MienError):
            self._fail(error)
            return
        is_loss = isinstance(error, OutputError)
        self._lost = self._lost or is_loss
        now = self._clock()
        if now - self._told.get(kind, -_TELL_AGAIN_S) >= _TELL_AGAIN_S:
            self._told[kind] = now
            self.tell(Notice(str(error), is_problem=True, is_loss=is_loss))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _unsubscribe(self, subscriber: _Subscriber) -> None:
        with self._lock:
            self._subscribers = tuple(one for one in self._subscribers if one is not subscriber)

    def _read(self) -> None:
        try:
            for frame in self._source:
                if self._stopping.is_set():
                    break
                if not self._paused and self._slot.put((frame, self._clock())):
                    self._meter.drop()
        except BaseException as error:
            self._error = self._error or error
        finally:
            self._source.close()
            self._slot.close()

    def _work(self) -> None:
        try:
            while (item := self._slot.take()) is not None:
                if not self._paused:
                    self._analyse(*item)
        except BaseException as error:
            self._fail(error)
        self._threads[0].join()
        self._finish()

    def _analyse(self, frame: Frame, came_s: float) -> None:
        analysis, crops = self._reader.read_one(frame)
        now = self._clock()
        stats = self._meter.count(now, now - came_s)
        self._newest = shot = LiveFrame(frame, analysis, crops, stats)
        for keeper in self._keepers:
            try:
                keeper.take(shot)
            except MienError as error:
                self._problem(type(keeper).__name__, error)
        for subscriber in self._subscribers:
            subscriber.on_frame(shot)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._stopping.set()
        self._source.interrupt()
        self._slot.close(discard=True)

    def _finish(self) -> None:
        with self._lock:
            keepers, self._keepers = self._keepers, ()
        for keeper in keepers:
            self._close(keeper)
        self._files.close()
        with self._lock:
            self._ended.set()
            subscribers = self._subscribers
        for subscriber in subscribers:
            subscriber.on_end(self._error)

    def _close(self, keeper: Keeper) -> None:
        try:
            keeper.close()
        except MienError as error:
            self.tell(Notice(str(error), is_problem=True, is_loss=isinstance(error, OutputError)))

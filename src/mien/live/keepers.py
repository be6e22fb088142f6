"""What can be kept of a session: faces in the gallery, what the network read, a film."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import MienError, OutputError
from mien.core.files import atomic_write, ensure_private_folder, reason, shown
from mien.gallery.store import Gallery
from mien.live._threads import Background
from mien.live.session import LiveSession
from mien.live.shots import LiveFrame, Notice
from mien.render import Annotator
from mien.video.write import FilmWriter

_MOST_CROPS = 10_000
_SETTLED_S = 0.5  # that someone is followed before being saved: what looks like a face for a moment is none
_CROP = re.compile(r"image(\d+)\.png")


class AutoSave:
    """Saves the faces of a session by themselves, each person's as often as the gallery's options say.

    Someone is saved after half a second in the picture.

    Args:
        session: of the faces.
        gallery: where they are saved.
    """

    def __init__(self, session: LiveSession, gallery: Gallery) -> None:
        self._session, self._gallery = session, gallery
        self._due: dict[int | None, float] = {}
        self._since: dict[int | None, float] = {}

    def take(self, shot: LiveFrame) -> None:
        """Save the faces that are due and good enough."""
        options, now = self._gallery.options, shot.frame.time_s
        self._due = {track: due for track, due in self._due.items() if due > now}
        self._since = {face.track_id: self._since.get(face.track_id, now) for face in shot.analysis.faces}
        for index, face in enumerate(shot.analysis.faces):
            is_new = now - self._since[face.track_id] < _SETTLED_S
            if is_new or face.track_id in self._due or not options.wants(face):
                continue
            if self._session.save(shot, index, self._gallery):
                self._due[face.track_id] = now + options.save_every

    def close(self) -> None:
        """Nothing is left: the session writes what waits."""


class KeepCrops:
    """Keeps what the network read of one frame a second: image0.png, image1.png and so on.

    Numbers go on where those in the folder end. After 10,000 pictures it stops and says so.

    Args:
        folder: made if missing.
        tell: told once when it stops.

    Raises:
        OutputError: the folder cannot be made or read.
    """

    def __init__(
        self, folder: str | os.PathLike[str], tell: Callable[[Notice], None], *, most: int = _MOST_CROPS
    ) -> None:
        self._folder = ensure_private_folder(folder)
        self._tell = tell
        try:
            matches = [_CROP.fullmatch(path.name) for path in self._folder.iterdir()]
        except OSError as error:
            raise OutputError(f"folder {shown(folder)} cannot be read: {reason(error)}") from error
        numbers = [int(match[1]) for match in matches if match]
        self._next = max(numbers, default=-1) + 1
        self._most, self._left = most, most - len(numbers)
        self._due = 0.0
        self._files = Background("mien-live-crops", self._stop)

    def take(self, shot: LiveFrame) -> None:
        """Keep the crops of a frame where a second has gone by."""
        if shot.frame.time_s < self._due or not len(shot.crops) or self._left <= 0:
            return
        self._due = shot.frame.time_s + 1.0
        crops = shot.crops[: self._left]
        self._left -= len(crops)
        self._files.submit(lambda: self._write(crops))
        if self._left <= 0:
            self._stop(MienError(f"{shown(self._folder)} holds {self._most:,} crops; no more are kept"))

    def close(self) -> None:
        """Write what waits."""
        self._files.close()

    def _write(self, crops: NDArray[np.uint8]) -> None:
        for crop in crops:
            turned = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)
            _, data = cv2.imencode(".png", turned)
            atomic_write(self._folder / f"image{self._next}.png", data.tobytes(), private=True)
            self._next += 1

    def _stop(self, error: Exception) -> None:
        if not isinstance(error, MienError):
            raise error
        self._left = 0
        self._tell(Notice(str(error), is_problem=True, is_loss=isinstance(error, OutputError)))


class Recorder(Protocol):
    """Writes a film; `mien.video.write.FilmWriter` does."""

    def __enter__(self) -> object:
        """Open the film."""

    def write(self, pixels: NDArray[np.uint8], time_s: float) -> None:
        """Add a frame, uint8 (H, W, 3) RGB."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> object:
        """Finish the film, or leave none after an error."""


class Recording:
    """Records a session as it is seen, with boxes and labels, to a film.

    Drawing and encoding happen beside the analysis; where they are too slow frames are left out of the film,
    never out of the session. A film that cannot be written any more ends the recording and not the session.

    Args:
        recorder: writes the film.
        tell: told when the recording ends early, and when it is written.
        annotator: draws; None records the plain pictures.
        name: of the film, for notices.

    Raises:
        OutputError: the film cannot be written.
    """

    def __init__(
        self,
        recorder: Recorder,
        tell: Callable[[Notice], None],
        *,
        annotator: Annotator | None = None,
        name: str = "the recording",
    ) -> None:
        self._recorder, self._tell, self._annotator, self._name = recorder, tell, annotator, name
        self._began: float | None = None
        self._broken = False
        self._frames = 0
        self._encoder = Background("mien-live-record", self._break, most=8)
        recorder.__enter__()

    def take(self, shot: LiveFrame) -> None:
        """Add a frame, unless the encoder is behind."""
        if not self._broken:
            self._encoder.submit(lambda: self._write(shot))

    def close(self) -> None:
        """Finish the film; what was recorded of it stays.

        Raises:
            OutputError: its end cannot be written.
        """
        self._encoder.close()
        if not self._frames:
            empty = OutputError(f"nothing was recorded to {self._name}")
            self._recorder.__exit__(type(empty), empty, None)
            self._tell(Notice(str(empty), is_problem=True, is_loss=True))
            return
        self._recorder.__exit__(None, None, None)
        if self._broken:
            text = (
                f"the recording in {self._name} is not whole: it ends where it could not be written any more"
            )
            self._tell(Notice(text, is_problem=True, is_loss=True))
        else:
            self._tell(Notice(f"recorded {self._frames} frames to {self._name}"))

    def _write(self, shot: LiveFrame) -> None:
        if self._broken:
            return
        time_s, pixels = shot.frame.time_s, shot.frame.pixels
        if self._began is None:
            self._began = time_s
        if self._annotator is not None:
            pixels = self._annotator.annotate(pixels, shot.analysis.faces)
        self._recorder.write(pixels, time_s - self._began)
        self._frames += 1

    def _break(self, error: Exception) -> None:
        self._broken = True
        self._tell(Notice(f"the recording ended: {error}", is_problem=True, is_loss=True))


def record(
    session: LiveSession, path: str | os.PathLike[str], *, annotator: Annotator | None = None
) -> Recording:
    """Record a session to a film from now on; `LiveSession.release` ends it before the session does.

    Raises:
        OptionError: the suffix of `path` is unknown.
        OutputError: the film cannot be written.
    """
    info = session.info
    writer = FilmWriter(path, info.width, info.height, rate=info.rate or 30.0)
    recording = Recording(writer, session.tell, annotator=annotator, name=shown(Path(path)))
    session.keep(recording)
    return recording

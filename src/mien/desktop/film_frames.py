"""What was found in each frame of a film, on the disk: a film may be as long as it likes."""

from __future__ import annotations

import json
import tempfile
import threading
import weakref
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import platformdirs

from mien.core.errors import MienError, OutputError
from mien.core.files import ensure_folder, reason, shown
from mien.core.film import FilmFrame
from mien.core.results import FrameAnalysis

_SAME_S = 1e-4


class FilmFrames:
    """The frames of a film as they are read: added to in one thread, looked at in others.

    Memory holds the time and the place of each frame, 16 bytes. The rest lies in a file without a name in
    the user's cache, which is gone with this object, and with the program however it ends.

    Attributes:
        times: of the frames, in seconds, rising.
    """

    def __init__(self) -> None:
        self.times = array("d")
        self._starts = array("q")
        self._end = 0
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[FrameAnalysis]:
        """Give all frames that are there, one after another."""
        for place in range(len(self.times)):
            yield self._read(place)

    def add(self, frame: FilmFrame) -> None:
        """Add the next frame.

        Raises:
            OutputError: there is no room for it.
        """
        data = zlib.compress(json.dumps(frame.analysis.to_dict()).encode("ascii"), 1)
        with self._lock:
            try:
                file = self._file = self._file or self._opened()
                file.seek(self._end)
                file.write(data)
            except OSError as error:
                raise OutputError(
                    f"what is found in the film cannot be kept in {shown(_folder())}: {reason(error)}; make "
                    "room there and read the film again"
                ) from error
            self._starts.append(self._end)
            self._end += len(data)
            self.times.append(frame.analysis.time_s)  # last, so that whoever sees the time finds the frame

    def at(self, time_s: float) -> FrameAnalysis | None:
        """Return the frame that is shown at `time_s`; reads from the disk."""
        place = bisect_right(self.times, time_s + _SAME_S) - 1
        return self._read(place) if place >= 0 else None

    def step(self, time_s: float, steps: int) -> float:
        """Return the time of the frame so many frames away."""
        if not self.times:
            return time_s
        place = max(0, bisect_right(self.times, time_s + _SAME_S) - 1)
        return self.times[min(max(0, place + steps), len(self.times) - 1)]

    def _read(self, place: int) -> FrameAnalysis:
        with self._lock:
            start = self._starts[place]
            end = self._starts[place + 1] if place + 1 < len(self._starts) else self._end
            if self._file is None:
                raise MienError("the film is not read yet; wait until it is")
            self._file.seek(start)
            data = self._file.read(end - start)
        return FrameAnalysis.from_dict(json.loads(zlib.decompress(data)))

    def _opened(self) -> BinaryIO:
        # Not the system's folder for temporary files, which is memory on many machines.
        file: BinaryIO = tempfile.TemporaryFile(dir=ensure_folder(_folder()))  # noqa: SIM115
        weakref.finalize(self, file.close)
        return file


def _folder() -> Path:
    return platformdirs.user_cache_path("mien", appauthor=False)

"""What was opened, and what is known of each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from mien.batch import Item
from mien.core.errors import MienError
from mien.core.film import FilmFrame
from mien.core.film_results import FilmSummary
from mien.core.results import Face, ImageAnalysis


@dataclass
class FilmFrames:
    """The frames of a film as they are read: added to in one thread, looked at in another."""

    times: list[float] = field(default_factory=list)
    frames: list[FilmFrame] = field(default_factory=list)

    def add(self, frame: FilmFrame) -> None:
        """Add the next frame."""
        self.frames.append(frame)
        self.times.append(frame.analysis.time_s)  # last, so that whoever sees the time finds the frame

    def at(self, time_s: float) -> FilmFrame | None:
        """Return the frame that is shown at `time_s`."""
        place = bisect_right(self.times, time_s + 1e-4) - 1
        return self.frames[place] if place >= 0 else None

    def step(self, time_s: float, steps: int) -> float:
        """Return the time of the frame so many frames away."""
        if not self.times:
            return time_s
        place = max(0, bisect_right(self.times, time_s + 1e-4) - 1)
        return self.times[min(max(0, place + steps), len(self.times) - 1)]


@dataclass
class Entry:
    """One photo or film that was opened.

    Attributes:
        item: as `batch` plans it.
        analysis: of a photo, once it is read.
        frames: of a film, as far as it is read.
        film: what the film came to.
        error: why it could not be read.
    """

    item: Item
    analysis: ImageAnalysis | None = None
    frames: FilmFrames = field(default_factory=FilmFrames)
    film: FilmSummary | None = None
    error: MienError | None = None

    def faces(self, time_s: float) -> Sequence[Face]:
        """Return the faces of the photo, or of the film's frame at `time_s`."""
        if self.item.is_film:
            frame = self.frames.at(time_s)
            return () if frame is None else frame.faces
        return () if self.analysis is None else self.analysis.faces

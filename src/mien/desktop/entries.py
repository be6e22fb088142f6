"""What was opened, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mien.batch import Item
from mien.core.errors import MienError
from mien.core.film_results import FilmSummary
from mien.core.results import Face, ImageAnalysis
from mien.desktop.film_frames import FilmFrames


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

    @property
    def can_be_seen(self) -> bool:
        """There is something to decode, and nothing is known to be wrong with it."""
        return self.item.source is not None and self.error is None

    def faces(self, time_s: float) -> Sequence[Face]:
        """Return the faces of the photo, or of the film's frame at `time_s`, which is read from the disk."""
        if self.item.is_film:
            frame = self.frames.at(time_s)
            return () if frame is None else frame.faces
        return () if self.analysis is None else self.analysis.faces

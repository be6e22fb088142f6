"""Frames decoded ahead in a thread of their own, a bounded number of them."""

from __future__ import annotations

from collections.abc import Iterator

from mien.video.ahead import Ahead
from mien.video.frames import Damage, Frame, Source, SourceInfo

_MOST_BYTES = 64 * 2**20
_MOST_FRAMES = 16


class Prefetch:
    """A source whose frames are made ready while others are worked on; it takes over the source.

    At most 16 frames wait, and at most 64 MB of them (two where they are larger than that). Errors reach
    whoever iterates, in their place.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        frame_bytes = 3 * source.info.width * source.info.height
        waiting = max(2, min(_MOST_FRAMES, _MOST_BYTES // frame_bytes))
        self._ahead = Ahead(source, waiting, "mien-decode")

    @property
    def info(self) -> SourceInfo:
        """What is known before the frames."""
        return self._source.info

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What was lost so far."""
        return self._source.damage

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._ahead)

    def close(self) -> None:
        """Stop decoding and close the source."""
        self._ahead.close()
        self._source.close()

"""How far a reading is: by the frames there are to read, since a film is more work than a photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mien.batch import Item
from mien.core.errors import MienError
from mien.core.video_options import VideoOptions
from mien.video.open import open_stored

_PHOTO = 4.0  # frames: photos are larger, and every one of them is searched for faces
_UNKNOWN = 1500.0  # frames of a film that does not say how many it has: a minute
_NOTHING = 1e-3  # of what cannot be read, and takes no time


class Shares:
    """Shares of the whole, in [0, 1].

    Args:
        items: all there is to read.
        is_cancelled: asked before each film is opened to see how long it is.
    """

    def __init__(self, items: Sequence[Item], is_cancelled: Callable[[], bool] = lambda: False) -> None:
        # One alone is all there is, however long.
        weights = {item.key: 1.0 if len(items) == 1 or is_cancelled() else _weight(item) for item in items}
        total = sum(weights.values()) or 1.0
        self._shares = {key: weight / total for key, weight in weights.items()}
        self._done = 0.0

    def finish(self, item: Item) -> float:
        """Count an item as read, and return the share that is done now."""
        self._done += self._shares[item.key]
        return min(1.0, self._done)

    def within(self, item: Item, part: float) -> float:
        """Return the share that is done when a part of `item`, in [0, 1], is read too."""
        return min(1.0, self._done + part * self._shares[item.key])


def _weight(item: Item) -> float:
    if item.error is not None or item.source is None:
        return _NOTHING
    if not item.is_film or not isinstance(item.source, Path):
        return _PHOTO
    try:
        source = open_stored(item.source)
    except MienError:
        return _NOTHING
    source.close()
    # What a file declares may be absurd; no more than the limit is ever read.
    return max(1.0, min(source.info.frames or _UNKNOWN, VideoOptions().max_frames))

"""What a session hands out, and what may keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.core.results import FrameAnalysis
from mien.live._stats import LiveStats
from mien.video.frames import Frame


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """The newest frame and what was found on it.

    Attributes:
        frame: index, time and pixels, RGB.
        analysis: the faces, largest first, each with a `track_id`.
        crops: what the network read, uint8 (faces, height, width) grey or (…, 3) RGB, in their order.
        stats: of the session up to this frame.
    """

    frame: Frame
    analysis: FrameAnalysis
    crops: NDArray[np.uint8]
    stats: LiveStats


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell the person in front of the session.

    Attributes:
        text: one line.
        is_problem: it did not work; the session goes on all the same.
        is_loss: something that was to be written was not, or not whole.
    """

    text: str
    is_problem: bool = False
    is_loss: bool = False


class Keeper(Protocol):
    """Keeps something of a session, such as faces or a film, and is closed at its end."""

    def take(self, shot: LiveFrame) -> None:
        """Take a frame; called in the analysing thread, so it must not wait for anything."""

    def close(self) -> None:
        """Finish; no frame comes any more."""

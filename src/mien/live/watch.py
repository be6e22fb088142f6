"""Live pictures in a loop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from mien.core.live_presets import DEFAULT_PRESET
from mien.core.results import FrameAnalysis
from mien.live.open import open_session
from mien.live.session import LiveSession
from mien.video.open import SourceName
from mien.zoo.registry import Model


def watch(
    source: SourceName = 0,
    *,
    preset: str = DEFAULT_PRESET,
    model: str | os.PathLike[str] | Model | None = None,
    threads: int | None = None,
    device: str = "auto",
    **options: Any,
) -> Iterator[FrameAnalysis]:
    """Yield the faces of a camera's newest frame, again and again, until the loop ends.

    A loop that is slower than the camera misses frames and is never behind. Leaving the loop lets go of
    the camera. A film or a folder of frames is played in real time in a camera's place.

    Args:
        source: the number of a camera (0 is the first), an rtsp:// address, the path of a film or of a
            folder of frames.
        preset: "standard", "light" (less work) or "advanced" (closer looks, filtered crops).
        model: as in `Analyzer`.
        threads: of the classifier; without it one processor is left to the source.
        device: as in `Analyzer`.
        **options: any field of AnalysisOptions or VideoOptions, such as detector="haar" or smoothing=0.

    Raises:
        OptionError: an option is unknown or out of range.
        ModelError: the model or detector cannot be used.
        VideoError: the source cannot be opened, or is gone.
    """
    # Opened here and not at the first step of the loop, so that what is wrong is said at once.
    session = open_session(source, preset=preset, model=model, threads=threads, device=device, **options)
    return _watched(session)


def _watched(session: LiveSession) -> Iterator[FrameAnalysis]:
    feed = session.feed()
    with session:
        for shot in feed:
            yield shot.analysis

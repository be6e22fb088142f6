"""A session by the name of its source."""

from __future__ import annotations

import os
from typing import Any

from mien.core.live_presets import DEFAULT_PRESET, live_options
from mien.core.machine import threads_beside_decoding
from mien.gallery.store import Gallery
from mien.live.session import LiveSession
from mien.pipeline.analyzer import Analyzer
from mien.video.open import SourceName, open_live
from mien.zoo.registry import Model


def open_session(
    source: SourceName = 0,
    *,
    preset: str = DEFAULT_PRESET,
    model: str | os.PathLike[str] | Model | None = None,
    threads: int | None = None,
    device: str = "auto",
    gallery: Gallery | None = None,
    **options: Any,
) -> LiveSession:
    """Return a session, not started yet, for a camera, a stream, or a film or folder in a camera's place.

    Args:
        source: as in `mien.video.open.open_source`.
        preset: "standard", "light" or "advanced".
        model: as in `Analyzer`.
        threads: as in `Analyzer`; without it, all processors but one.
        device: as in `Analyzer`.
        gallery: where faces are saved; the user's own without it.
        **options: fields of AnalysisOptions and VideoOptions, in place of the preset's.

    Raises:
        OptionError: a preset or option is unknown or out of range, or the source is none.
        ModelError: the model or detector cannot be used.
        VideoError: the source cannot be opened.
    """
    of_picture, of_film = live_options(preset, options)
    analyzer = Analyzer(of_picture, model=model, threads=threads_beside_decoding(threads), device=device)
    opened = open_live(source, of_film, max_pixels=of_picture.max_pixels)
    return LiveSession(opened, analyzer.steps, of_film, gallery=gallery)

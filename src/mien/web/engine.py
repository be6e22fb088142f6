"""The one analyzer of a process: pages and the REST service read every photo through here.

It is made on first use and kept. As many photos as MAX_WORKERS says are analysed at once, each on one
thread; the others wait for their turn.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from django.conf import settings

import mien
from mien.core import images
from mien.core.machine import processors

_making = threading.Lock()


def analyzer() -> mien.Analyzer:
    """Return the analyzer, made by the first caller.

    Raises:
        ModelError: MODEL_PATH names a model that cannot be used.
    """
    with _making:  # two callers at the start do not load the model twice
        return _analyzer()


def analyze(source: images.ImageSource) -> mien.ImageAnalysis:
    """Return every face of one photo; waits while MAX_WORKERS others are being read.

    Args:
        source: as in `mien.Analyzer.analyze`: bytes, a binary file, an array.

    Raises:
        ImageError: the picture cannot be read.
    """
    reader = analyzer()
    with _turns():
        return reader.analyze(source)


def analyze_with_crops(source: images.ImageSource) -> tuple[mien.ImageAnalysis, Any]:
    """As `analyze`, and the crop of every face as the network read it."""
    reader = analyzer()
    with _turns():
        return reader.analyze_with_crops(source)


def warm() -> None:
    """Load the model now, on a thread of its own, so that the first visitor does not wait for it."""
    threading.Thread(target=analyzer, name="mien-warm", daemon=True).start()


def reset() -> None:
    """Forget the analyzer: the next call reads the settings again."""
    _analyzer.cache_clear()
    _turns.cache_clear()


@lru_cache(maxsize=1)
def _analyzer() -> mien.Analyzer:
    return mien.Analyzer(model=settings.MIEN.model_path or None, threads=1)


@lru_cache(maxsize=1)
def _turns() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.MIEN.max_workers or processors())

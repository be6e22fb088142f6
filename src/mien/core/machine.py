"""What this machine lets the process use."""

from __future__ import annotations

import os


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def threads_beside_decoding(threads: int | None = None) -> int:
    """Return how many threads a classifier, or an encoder, gets where frames are decoded at the same time.

    One processor is left to the decoder: two threads of a classifier on two processors wait for it, and
    for each other, and are slower than one.
    """
    return threads or max(1, processors() - 1)

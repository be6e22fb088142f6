"""Times for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a time as one reads it: 41 s, 12 min, 3 h 5 min."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"

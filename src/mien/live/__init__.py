"""Live pictures: the newest frame is analysed, and whoever subscribed gets it."""

from mien.live.presets import PRESETS, Preset, live_options
from mien.live.session import Feed, LiveFrame, LiveSession, LiveStats, Notice, open_session
from mien.live.watch import watch

__all__ = [
    "PRESETS",
    "Feed",
    "LiveFrame",
    "LiveSession",
    "LiveStats",
    "Notice",
    "Preset",
    "live_options",
    "open_session",
    "watch",
]

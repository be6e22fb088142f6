"""Live pictures: the newest frame is analysed, and whoever subscribed gets it."""

from mien.core.live_presets import PRESETS, Preset, live_options
from mien.live._stats import LiveStats
from mien.live.feed import Feed
from mien.live.open import open_session
from mien.live.session import LiveSession
from mien.live.shots import Keeper, LiveFrame, Notice
from mien.live.watch import watch

__all__ = [
    "PRESETS",
    "Feed",
    "Keeper",
    "LiveFrame",
    "LiveSession",
    "LiveStats",
    "Notice",
    "Preset",
    "live_options",
    "open_session",
    "watch",
]

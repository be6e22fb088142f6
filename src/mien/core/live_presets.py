"""Three ways to read live pictures: one table, of which every value can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mien.core.errors import OptionError
from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to read live pictures.

    Attributes:
        summary: what it is for.
        options: values of AnalysisOptions and VideoOptions that differ from their defaults.
    """

    summary: str
    options: Mapping[str, Any]


# A live face that nobody finds upright comes back by itself: no preset tries the picture on its side.
PRESETS: dict[str, Preset] = {
    "standard": Preset(
        "30 frames a second on two cores",
        {"detection_side": 320, "cadence": 0.2, "rotate": False},
    ),
    "light": Preset(
        "little work, for old or busy machines: looks rarely, for few faces near the camera",
        {"detection_side": 320, "cadence": 0.4, "rotate": False, "min_face": 48, "max_faces": 4},
    ),
    "advanced": Preset(
        "looks closely and often, for small and far faces; evens out the light of each crop, for bad cameras",
        {"detection_side": 640, "cadence": 0.1, "rotate": False, "clahe": True, "smoothing": 0.5},
    ),
}
DEFAULT_PRESET = "standard"


def live_options(
    preset: str = DEFAULT_PRESET, overrides: Mapping[str, Any] | None = None
) -> tuple[AnalysisOptions, VideoOptions]:
    """Return the options of a preset, with `overrides` (fields of both tables) in place of its values.

    Raises:
        OptionError: the preset or an option is unknown, or a value is out of range.
    """
    if preset not in PRESETS:
        raise OptionError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
    values = {**PRESETS[preset].options, **(overrides or {})}
    of_picture = [field.name for field in fields(AnalysisOptions)]
    of_film = [field.name for field in fields(VideoOptions)]
    if unknown := [name for name in values if name not in of_picture and name not in of_film]:
        raise OptionError(f"unknown option {unknown[0]!r}; choose from {', '.join([*of_picture, *of_film])}")
    return (
        AnalysisOptions(**{name: value for name, value in values.items() if name in of_picture}),
        VideoOptions(**{name: value for name, value in values.items() if name in of_film}),
    )

"""The options of moving pictures that can change a result; those of each picture are in `core.options`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mien.core.errors import OptionError
from mien.core.option_table import check_fields, from_mapping, option, options_digest

MAX_SECONDS = 1e7
DEFAULT_RATE = 25.0
"""Frames a second, where nothing says how many there are."""


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """Which frames of a film are read, and how faces are followed through them.

    Frozen and checked when made; `digest` identifies it in every result.
    """

    start: float = option(0.0, "Seconds of the film to begin at.", low=0.0, high=MAX_SECONDS)
    end: float | None = option(
        None, "Seconds of the film to end before; its end without it.", low=0.0, high=MAX_SECONDS
    )
    every: int = option(1, "Read every Nth frame only.", low=1, high=1_000_000)
    fps: float | None = option(
        None, "Read at most this many frames a second, evenly in time; instead of every.", low=1e-4, high=1e4
    )
    cadence: float = option(
        0.33,
        "Seconds between two searches for faces; between, faces are carried along by their motion, and one "
        "that is lost is searched for at once. 0 searches every frame.",
        low=0.0,
        high=60.0,
    )
    reading: float = option(
        0.12,
        "Seconds after which the emotion of a face that is carried along is read again; one that was just "
        "found is always read. 0 reads it in every frame.",
        low=0.0,
        high=60.0,
    )
    smoothing: float = option(
        0.35,
        "Seconds over which boxes and scores are steadied; 0 leaves every frame as it is read alone.",
        low=0.0,
        high=60.0,
    )
    hysteresis: float = option(
        0.1,
        "How much likelier another emotion has to be before the stated one changes; half of it stands "
        "between uncertain and stated. 0 changes at once.",
        low=0.0,
        high=1.0,
    )
    max_gap: float = option(
        2.0, "Seconds that a face may be out of sight and keep its number.", low=0.0, high=3600.0
    )
    max_frames: int = option(
        10_000_000, "Most frames of a film; one that is longer is refused.", low=1, high=10**12
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if self.end is not None and self.end <= self.start:
            raise OptionError(f"end has to be later than start, {self.start:g} s, not {self.end:g} s")
        if self.fps is not None and self.every > 1:
            raise OptionError("give every or fps, not both")

    def to_dict(self) -> dict[str, Any]:
        """Return plain `{option: value}`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> VideoOptions:
        """Return the options that `to_dict` described; what is missing has its default."""
        return from_mapping(cls, data)

    def digest(self) -> str:
        """Return 16 hexadecimal digits that are equal for equal options."""
        return options_digest(self.to_dict())

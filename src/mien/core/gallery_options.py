"""Which faces are saved, and how long they stay."""

from __future__ import annotations

from dataclasses import dataclass

from mien.core.option_table import check_fields, option
from mien.core.results import Face


@dataclass(frozen=True, slots=True)
class GalleryOptions:
    """Which faces are saved by themselves, how many are kept, and how long. Frozen and checked when made."""

    save_every: float = option(
        1.0, "Seconds between two saved pictures of the same person's face.", low=0.0, high=86_400.0
    )
    min_confidence: float = option(
        0.0, "Least confidence of a face that is saved by itself.", low=0.0, high=1.0
    )
    max_doubts: int = option(
        1,
        "Most doubts about the quality (small, blurred, dark, bright, turned) of a face that is saved by "
        "itself; 0 saves good faces only.",
        low=0,
        high=5,
    )
    max_saved: int = option(10_000, "Most faces kept; the oldest go.", low=1, high=1_000_000)
    max_days: float = option(
        30.0, "Days that a saved face stays; 0 keeps it until you delete it.", low=0.0, high=36_500.0
    )

    def __post_init__(self) -> None:
        check_fields(self)

    def wants(self, face: Face) -> bool:
        """Tell whether a face is good enough to be saved by itself."""
        return face.confidence >= self.min_confidence and len(face.quality.reasons) <= self.max_doubts

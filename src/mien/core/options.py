"""The options that can change a result: one table for the library, the command line, docs and the web.

Each field's metadata holds its help text and limits, so that `--help`, validation and documentation
read the same lines. Options that cannot change a result (threads, device, jobs, language) are not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mien.core.errors import OptionError
from mien.core.option_table import check_fields, from_mapping, option, options_digest

DETECTORS: tuple[str, ...] = ("auto", "yunet", "haar")


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """How a picture is read. Frozen and checked when made; `digest` identifies it in every result."""

    detector: str = option("auto", "Face detector; auto takes the best one present.", choices=DETECTORS)
    detection_side: int = option(
        640,
        "Longer side, in pixels, of the picture the detector sees; larger finds smaller faces, slower.",
        low=64,
        high=8192,
    )
    detection_threshold: float | None = option(
        None, "Least detection score of a face; without it each detector's own default.", low=0.0, high=1.0
    )
    min_face: int = option(24, "Smallest face, in pixels of the original picture.", low=1, high=100_000)
    max_faces: int = option(200, "Most faces kept; the largest stay.", low=1, high=100_000)
    rotate: bool = option(True, "Where nothing is found, try the picture turned by 90°, 180° and 270°.")
    clahe: bool = option(False, "Even out local contrast of each crop (CLAHE) before classifying.")
    median: int = option(
        0, "Median filter of this odd size on each crop before classifying; 0 is off.", low=0, high=9
    )
    tta: bool = option(
        False,
        "Read each crop and its mirror image and average the two, in twice the time of the network; "
        "mien explain explains one pass.",
    )
    threshold: float | None = option(
        None,
        "Least confidence of a stated emotion; below it the face is uncertain. Without it the card's.",
        low=0.0,
        high=1.0,
    )
    max_pixels: int = option(
        50_000_000,
        "Most pixels a picture may have; larger ones are refused unread.",
        low=1,
        high=1_000_000_000,
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if self.median and self.median % 2 == 0:
            raise OptionError(f"median has to be 0 or an odd number, not {self.median}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain `{option: value}`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AnalysisOptions:
        """Return the options that `to_dict` described; what is missing has its default."""
        return from_mapping(cls, data)

    def digest(self) -> str:
        """Return 16 hexadecimal digits that are equal for equal options."""
        return options_digest(self.to_dict())

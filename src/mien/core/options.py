"""The options that can change a result: one table for the library, the command line, docs and the web.

Each field's metadata holds its help text and limits, so that `--help`, validation and documentation
read the same lines. Options that cannot change a result (threads, device, jobs, language) are not here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mien.core.errors import OptionError

DETECTORS: tuple[str, ...] = ("auto", "yunet", "haar")


def _option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """How a picture is read. Frozen and checked when made; `digest` identifies it in every result."""

    detector: str = _option("auto", "Face detector; auto takes the best one present.", choices=DETECTORS)
    detection_side: int = _option(
        640,
        "Longer side, in pixels, of the picture the detector sees; larger finds smaller faces, slower.",
        low=64,
        high=8192,
    )
    detection_threshold: float | None = _option(
        None, "Least detection score of a face; without it each detector's own default.", low=0.0, high=1.0
    )
    min_face: int = _option(24, "Smallest face, in pixels of the original picture.", low=1, high=100_000)
    max_faces: int = _option(200, "Most faces kept; the largest stay.", low=1, high=100_000)
    rotate: bool = _option(True, "Where nothing is found, try the picture turned by 90°, 180° and 270°.")
    clahe: bool = _option(False, "Even out local contrast of each crop (CLAHE) before classifying.")
    median: int = _option(
        0, "Median filter of this odd size on each crop before classifying; 0 is off.", low=0, high=9
    )
    threshold: float | None = _option(
        None,
        "Least confidence of a stated emotion; below it the face is uncertain. Without it the card's.",
        low=0.0,
        high=1.0,
    )
    max_pixels: int = _option(
        50_000_000,
        "Most pixels a picture may have; larger ones are refused unread.",
        low=1,
        high=1_000_000_000,
    )

    def __post_init__(self) -> None:
        for option in fields(self):
            _check(option.name, getattr(self, option.name), option.metadata)
        if self.median and self.median % 2 == 0:
            raise OptionError(f"median has to be 0 or an odd number, not {self.median}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain `{option: value}`."""
        return asdict(self)

    def digest(self) -> str:
        """Return 16 hexadecimal digits that are equal for equal options."""
        canonical = json.dumps(self.to_dict(), sort_keys=True).encode()
        return hashlib.sha256(canonical).hexdigest()[:16]


def _check(name: str, value: Any, metadata: Any) -> None:
    choices, low, high = metadata["choices"], metadata["low"], metadata["high"]
    if choices is not None and value not in choices:
        raise OptionError(f"unknown {name} {value!r}; choose one of {', '.join(choices)}")
    if value is None or low is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise OptionError(f"{name} has to be between {low:g} and {high:g}, not {value!r}")

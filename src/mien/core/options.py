"""The options that can change a result: one table for the library, the command line, docs and the web.

Each field's metadata holds its help text and limits, so that `--help`, validation and documentation
read the same lines. Options that cannot change a result (threads, device, jobs, language) are not here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any

from mien.core._checks import finite, whole
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
            object.__setattr__(self, option.name, _checked(option, getattr(self, option.name)))
        if self.median and self.median % 2 == 0:
            raise OptionError(f"median has to be 0 or an odd number, not {self.median}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain `{option: value}`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AnalysisOptions:
        """Return the options that `to_dict` described; what is missing has its default."""
        known = [option.name for option in fields(cls)]
        if unknown := [str(name) for name in data if name not in known]:
            raise OptionError(f"unknown option {', '.join(unknown)}; choose from {', '.join(known)}")
        return cls(**data)

    def digest(self) -> str:
        """Return 16 hexadecimal digits that are equal for equal options."""
        canonical = json.dumps(self.to_dict(), sort_keys=True).encode()
        return hashlib.sha256(canonical).hexdigest()[:16]


def _checked(option: Field[Any], value: Any) -> Any:
    """Return `value` as the plain type of its field, so that equal options digest alike."""
    name, limits = option.name, option.metadata
    if limits["choices"] is not None:
        if not isinstance(value, str) or value not in limits["choices"]:
            raise OptionError(f"unknown {name} {value!r}; choose one of {', '.join(limits['choices'])}")
        return str(value)
    if option.type == "bool":
        if not isinstance(value, bool):
            raise OptionError(f"{name} has to be True or False, not {value!r}")
        return value
    if value is None and option.type == "float | None":
        return None
    number = whole(name, value) if option.type == "int" else finite(name, value)
    if not limits["low"] <= number <= limits["high"]:
        raise OptionError(f"{name} has to be between {limits['low']} and {limits['high']}, not {value!r}")
    return number

"""Boxes and landmarks in pixels of the original picture (x to the right, y down)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mien.core._checks import record, whole
from mien.core.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Point(NamedTuple):
    """A place in the picture, in pixels; (0, 0) is the centre of the top left pixel."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """A face's box in whole pixels of the original picture: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("x", "y", "width", "height"):
            object.__setattr__(self, name, whole(f"box {name}", getattr(self, name)))
        if self.width < 1 or self.height < 1:
            raise OptionError(
                f"a box needs a width and height of at least 1 pixel, not {self.width}×{self.height}"
            )

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.y + self.height

    @property
    def area(self) -> int:
        """Width times height, in pixels."""
        return self.width * self.height

    def clipped(self, width: int, height: int) -> Box | None:
        """Return the part inside a picture of `width` × `height` pixels, or None when there is none."""
        left, top = max(self.x, 0), max(self.y, 0)
        right, bottom = min(self.right, width), min(self.bottom, height)
        if right <= left or bottom <= top:
            return None
        return Box(left, top, right - left, bottom - top)

    def overlap(self, other: Box) -> float:
        """Return the intersection over union with `other`, in [0, 1]."""
        across = min(self.right, other.right) - max(self.x, other.x)
        down = min(self.bottom, other.bottom) - max(self.y, other.y)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (self.area + other.area - shared)

    def to_dict(self) -> dict[str, int]:
        """Return plain `{"x", "y", "width", "height"}`."""
        return {"x": self.x, "y": self.y, "width": self.width, "height": self.height}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Box:
        """Return the box that `to_dict` described."""
        return cls(**record(data, "a box", ("x", "y", "width", "height")))


LANDMARK_NAMES: tuple[str, ...] = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Five points of a face; right and left are the person's own.

    So the right eye is on the viewer's left.
    """

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point

    def __post_init__(self) -> None:
        for name in LANDMARK_NAMES:
            object.__setattr__(self, name, _point(name, getattr(self, name)))

    def as_array(self) -> NDArray[np.float64]:
        """Return the points as float64 (5, 2), x before y, in the order of the fields."""
        import numpy as np

        return np.array([getattr(self, name) for name in LANDMARK_NAMES], dtype=np.float64)

    @classmethod
    def from_array(cls, points: NDArray[Any] | Sequence[Sequence[float]]) -> Landmarks:
        """Make landmarks from anything of shape (5, 2)."""
        import numpy as np

        try:
            array = np.asarray(points, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise OptionError(f"landmarks have to be five pairs of numbers: {error}") from error
        if array.shape != (5, 2):
            raise OptionError(f"landmarks need shape (5, 2), not {array.shape}")
        return cls(*(Point(float(x), float(y)) for x, y in array))

    def to_dict(self) -> dict[str, list[float]]:
        """Return plain `{name: [x, y]}`."""
        return {name: list(getattr(self, name)) for name in LANDMARK_NAMES}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Landmarks:
        """Return the landmarks that `to_dict` described."""
        return cls(**record(data, "landmarks", LANDMARK_NAMES))


def _point(name: str, value: Any) -> Point:
    try:
        x, y = (float(v) for v in value)
    except (TypeError, ValueError):
        raise OptionError(f"landmark {name} has to be two numbers, not {value!r}") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise OptionError(f"landmark {name} has to be two finite numbers, not {(x, y)}")
    return Point(x, y)


# Medians over the FER2013 training faces, in pixels of their 48×48 pictures counted from the top left
# corner (half a pixel before the centre of the first pixel), in the order of LANDMARK_NAMES. Crops of
# any photo get this geometry, because the classifiers are trained on it.
FER2013_TEMPLATE: tuple[Point, ...] = (
    Point(14.9, 18.1),
    Point(32.6, 18.2),
    Point(23.1, 28.2),
    Point(16.5, 35.9),
    Point(30.9, 36.0),
)

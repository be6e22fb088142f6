"""Which cameras of this machine answer."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.core.errors import VideoError
from mien.video.camera import Capture, open_camera

_DEVICES, _NAMES = Path("/dev"), Path("/sys/class/video4linux")
_TRIED = 5  # numbers, where the system does not say which there are
_LONGEST = 80  # letters of a name, which the device gives


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera that gave a picture.

    Attributes:
        number: to open it by.
        name: as the device calls itself; "" where nobody says.
        width, height: of its pictures, in pixels.
    """

    number: int
    name: str
    width: int
    height: int


def camera_numbers() -> tuple[int, ...]:
    """Return the numbers that may be cameras, opening none; on Linux those of devices that are there."""
    if sys.platform != "linux":
        return tuple(range(_TRIED))
    names = (re.fullmatch(r"video([0-9]{1,4})", path.name) for path in _DEVICES.glob("video*"))
    return tuple(sorted(int(name[1]) for name in names if name is not None))


def find_cameras(
    *,
    numbers: tuple[int, ...] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    capture: Callable[[int], Capture] | None = None,
) -> Iterator[FoundCamera]:
    """Open one camera after another, and yield those that give a picture; each may take seconds.

    Args:
        numbers: to try; all of `camera_numbers` without it.
        is_cancelled: asked before each.
        capture: opens the device; `cv2.VideoCapture` without it.
    """
    for number in camera_numbers() if numbers is None else numbers:
        if is_cancelled is not None and is_cancelled():
            return
        try:
            camera = open_camera(number, size=None, capture=capture)
        except VideoError:
            continue  # there is none, it gives nothing, or another program has it
        camera.close()
        yield FoundCamera(number, _name(number), camera.info.width, camera.info.height)


def _name(number: int) -> str:
    try:
        words = (_NAMES / f"video{number}" / "name").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return " ".join(words.split())[:_LONGEST]

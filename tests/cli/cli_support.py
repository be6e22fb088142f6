"""What the tests of the command line share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.core import images
from mien.testing import picture

SAMPLES = Path(__file__).resolve().parents[2] / "src" / "mien" / "samples"
FACE = SAMPLES / "eileen-collins.jpg"
NO_FACE = SAMPLES / "rocket-launch.jpg"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def make_photos(folder: Path, count: int) -> list[str]:
    """Write `count` small pictures without a face and return their names, sorted."""
    folder.mkdir()
    names = [str(folder / f"{number:03}.jpg") for number in range(count)]
    for number, name in enumerate(names):
        images.save(picture(seed=number), name)
    return names

"""The networks, one file each, by name.

Every network reads float32 (faces, 1, height, width), normalised as the card says, and returns logits
(faces, labels). Someone's own network is named by its place, `package.module:Factory`; the factory takes
the number of labels and returns a `torch.nn.Module`. It may have the attributes `input_side` (pixels, 48
without it) and `any_side` (whether faces of other sizes can be read, false without it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from mien.core.errors import OptionError
from mien.training.architectures._resolve import imported, made
from mien.training.architectures.mien_base import MienBase
from mien.training.architectures.mien_teacher import MienTeacher
from mien.training.architectures.mien_tiny import MienTiny
from mien.training.architectures.r1 import R1
from mien.training.architectures.r2 import R2
from mien.training.architectures.r3 import R3
from mien.training.architectures.r4 import R4
from mien.training.architectures.r5 import R5

ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "mien-base": MienBase,
    "mien-tiny": MienTiny,
    "mien-teacher": MienTeacher,
    "r1": R1,
    "r2": R2,
    "r3": R3,
    "r4": R4,
    "r5": R5,
}
DEFAULT_SIDE = 48


def create_network(architecture: str, labels: int, **options: Any) -> nn.Module:
    """Return a fresh network with `labels` outputs; its weights follow torch's current random state.

    Args:
        architecture: a name of `ARCHITECTURES`, or `package.module:Factory` of someone's own.
        labels: number of outputs.
        options: further arguments of the network, such as `attention` or, for r2, `width`.

    Raises:
        OptionError: there is no such network, or it does not take these options.
    """
    return made(architecture, _factory(architecture), labels, options)


def input_side(architecture: str) -> int:
    """Return the side in pixels of the faces that a network was designed for."""
    return int(getattr(_factory(architecture), "input_side", DEFAULT_SIDE))


def takes_any_side(architecture: str) -> bool:
    """Return whether a network reads faces of other sizes too, as training with small crops needs."""
    return bool(getattr(_factory(architecture), "any_side", False))


def _factory(architecture: str) -> Callable[..., nn.Module]:
    if architecture in ARCHITECTURES:
        return ARCHITECTURES[architecture]
    if ":" in architecture:
        return imported(architecture)
    known = ", ".join(sorted(ARCHITECTURES))
    raise OptionError(
        f"unknown architecture {architecture!r}; choose one of {known}, or write package.module:Factory"
    )

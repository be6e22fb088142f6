"""The networks, one file each, by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from mien.core.errors import OptionError
from mien.training.architectures.mien_base import MienBase

ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {"mien-base": MienBase}


def create_network(architecture: str, labels: int) -> nn.Module:
    """Return a fresh network with `labels` outputs; its weights follow torch's current random state."""
    try:
        make = ARCHITECTURES[architecture]
    except KeyError:
        known = ", ".join(sorted(ARCHITECTURES))
        raise OptionError(f"unknown architecture {architecture!r}; choose one of {known}") from None
    return make(labels)

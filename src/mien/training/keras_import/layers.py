"""Kinds of layers with weights, as files of Keras have them and as messages call them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONVOLUTION = "convolution"
DEPTHWISE = "depthwise convolution"
NORM = "batch norm"
DENSE = "dense layer"

_CLASSES = {
    "conv2d": CONVOLUTION,
    "depthwise_conv2d": DEPTHWISE,
    "batch_normalization": NORM,
    "dense": DENSE,
}
# The order in which Keras keeps the weights of a layer.
ROLES = {
    CONVOLUTION: ("kernel", "bias"),
    DEPTHWISE: ("kernel", "bias"),
    DENSE: ("kernel", "bias"),
    NORM: ("gamma", "beta", "moving_mean", "moving_variance"),
}


@dataclass(frozen=True, slots=True, eq=False)
class KerasLayer:
    """A layer with weights.

    Attributes:
        name: as the model calls it, or as its place in the file does.
        place: its path in a newer file, such as "layers/conv2d_1"; "" in an older one.
        kind: one of the kinds above, or None for a layer that none of the networks has.
        weights: float32 arrays by role (`ROLES`), or by number where a newer file leaves the role open.
    """

    name: str
    place: str
    kind: str | None
    weights: Mapping[str, NDArray[np.float32]]


def numbered(part: str) -> tuple[str, int]:
    """Return a name of Keras and its number: `conv2d_3` is ("conv2d", 3), `conv2d` is ("conv2d", 0)."""
    match = re.fullmatch(r"(.+?)_([0-9]{1,6})", part)
    return (match[1], int(match[2])) if match else (part, 0)


def snake_case(name: str) -> str:
    """Return the name of a class as Keras makes file paths of it: `DepthwiseConv2D` → depthwise_conv2d."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def kind_of_class(part: str) -> str | None:
    """Return the kind of a layer by its path in a newer file, such as `conv2d_1`."""
    return _CLASSES.get(numbered(part)[0])


def kind_of_weights(weights: Mapping[str, NDArray[np.float32]]) -> str | None:
    """Return the kind of a layer by the roles and shapes of its weights, as older files have them."""
    roles = set(weights)
    if roles >= {"moving_mean", "moving_variance"} and roles <= set(ROLES[NORM]):
        return NORM
    if "kernel" not in roles or not roles <= {"kernel", "bias"}:
        return None
    shape = weights["kernel"].shape
    if len(shape) == 2:
        return DENSE
    if len(shape) != 4:
        return None
    return DEPTHWISE if shape[3] == 1 and shape[2] > 1 else CONVOLUTION

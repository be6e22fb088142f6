"""What a network does to a face, step by step: of a network of Mien, to compare a description of Keras with.

Weights alone do not say where an activation stands, how a picture is padded or what a pooling takes. Two
networks with the same weights and the same steps compute the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from mien.core.errors import ModelError
from mien.training.architectures._keras import ConvNorm, DenseNorm, FlatNetwork
from mien.training.architectures.r2 import Block
from mien.training.keras_import.layers import CONVOLUTION, DENSE, DEPTHWISE, NORM


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is done, as messages say it, and by which layer of the file (its name)."""

    what: str
    layer: str = ""


def convolution(size: int, stride: int, depthwise: bool) -> str:
    """Return the step of a convolution that pads as `padding="same"` does."""
    moved = f" with stride {stride}" if stride != 1 else ""
    return f"{size}×{size} {DEPTHWISE if depthwise else CONVOLUTION}{moved}"


def leaky(slope: float) -> str:
    """Return the step of a leaky ReLU; slopes come as 32-bit numbers in some files."""
    return f"leaky ReLU of slope {slope:.4g}"


def added(steps: int) -> str:
    """Return the step that adds what stood `steps` steps before."""
    return f"sum with the features {steps} steps before"


RELU, RELU6 = "ReLU", "ReLU up to 6"
POOLING = "2×2 max pooling"
AVERAGE = "global average"
FLATTEN = "flattening"
SOFTMAX = "softmax"


def steps_of(network: nn.Module) -> list[str]:
    """Return the steps of one of the reference networks up to its logits."""
    features, head = network.features, getattr(network, "head", None) or network.classifier
    middle = FLATTEN if isinstance(network, FlatNetwork) else AVERAGE
    return [*_steps(features), middle, *_steps(head)]


def _steps(module: object) -> list[str]:
    if isinstance(module, ConvNorm | DenseNorm):
        linear = module.conv if isinstance(module, ConvNorm) else module.dense
        rest = (
            (module.activation, module.norm) if module.activation_first else (module.norm, module.activation)
        )
        return [step for part in (linear, *rest) for step in _steps(part)]
    if isinstance(module, Block):
        inner = _steps(module.conv)
        return [*inner, added(len(inner))] if module.adds else inner
    if isinstance(module, nn.Sequential):
        return [step for part in module for step in _steps(part)]
    return _leaf(module)


def _leaf(module: object) -> list[str]:
    match module:
        case nn.Conv2d():
            return [convolution(module.kernel_size[0], module.stride[0], module.groups > 1)]
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return [NORM]
        case nn.Linear():
            return [DENSE]
        case nn.LeakyReLU():
            return [leaky(module.negative_slope)]
        case nn.ReLU():
            return [RELU]
        case nn.ReLU6():
            return [RELU6]
        case nn.MaxPool2d():
            return [POOLING]
        case nn.Dropout() | nn.Dropout2d():
            return []
    raise TypeError(f"{type(module).__name__} is not known here")


def check_steps(found: list[Step], wanted: list[str], architecture: str, name: str) -> None:
    """Raise ModelError for the first step that is another than that of the network, by layer name.

    A softmax at the end is not counted: Mien's networks return logits, and the softmax comes after them.
    """
    if found and found[-1].what == SOFTMAX:
        found = found[:-1]
    for number, step in enumerate(found):
        if number == len(wanted):
            raise ModelError(
                f"layer {step.layer!r} in {name} is a {step.what} after the end of {architecture}; "
                "choose another --arch, or train with the published network"
            )
        if step.what != wanted[number]:
            raise ModelError(
                f"layer {step.layer!r} in {name} is a {step.what} where {architecture} has a "
                f"{wanted[number]}; choose another --arch, or train with the published network"
            )
    if len(found) < len(wanted):
        last = f"after layer {found[-1].layer!r}" if found else "without a layer"
        raise ModelError(
            f"the model in {name} ends {last}, where {architecture} goes on with a {wanted[len(found)]}; "
            "choose another --arch"
        )


def matching(found: list[Step], wanted: list[str]) -> int:
    """Return how many steps agree from the beginning."""
    number = 0
    while number < min(len(found), len(wanted)) and found[number].what == wanted[number]:
        number += 1
    return number

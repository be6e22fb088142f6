"""r2: MobileNetV2 (Sandler et al., CVPR 2018), the network of reference system R2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from mien.core.errors import OptionError, TrainingError
from mien.training.architectures._keras import initialise as glorot

# Expansion, channels, blocks and first stride of each stage, as in table 2 of the paper.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM, LAST = 32, 1280
DROPOUT = 0.2

# How faces come (as the cards of all of Mien's networks say), and how ImageNet weights want colours.
FACE_MEAN, FACE_STD = 0.5, 0.25
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Origin = Literal["torchvision", "keras"]


class R2(nn.Module):
    """MobileNetV2 with a new last layer; 2,232,839 trained parameters at width 1 and 7 labels.

    Reads float32 (faces, 1 or 3, height, width), normalised as the card says, and returns logits
    (faces, labels). Inside, faces of another size are enlarged or shrunk to `input_size` (bilinear), grey is
    repeated over three channels, and the values are brought to what ImageNet weights were trained on. So
    48×48 crops need no preparation, and the exported model takes them as they are.

    Weights trained elsewhere: parameter names are those of torchvision's `mobilenet_v2`
    (`features.0.0` stem; `features.1` to `features.17` blocks, each `conv.<n>`; `features.18` last
    convolution; `classifier.1` last layer), so the mapping of keys is the identity, all but `classifier.1`,
    whose labels are others; `load_backbone` does that. The published recipe trains the last layers first
    and then all.

    Args:
        labels: number of outputs.
        width: factor on the channels of every layer; 1.0 is the published network.
        input_size: side in pixels at which faces are read, a multiple of 32; None leaves them as they come.
        origin: whose weights are to fit. "keras" pads strided convolutions on the right and below, as Keras
            does, has its batch norm (momentum 0.001 in PyTorch's words, epsilon 1e-3) and its first weights,
            and scales values to [-1, 1].

    Raises:
        OptionError: a value has no meaning.
    """

    any_side = True
    scale: Tensor
    offset: Tensor

    def __init__(
        self,
        labels: int,
        width: float = 1.0,
        input_size: int | None = 224,
        origin: Origin = "torchvision",
    ) -> None:
        super().__init__()
        _check(width, input_size, origin)
        self.input_size = input_size
        layer = _Layers(keras=origin == "keras")
        channels, last = _whole(STEM * width), _whole(LAST * max(1.0, width))
        features: list[nn.Module] = [layer.convolution(3, channels, 3, stride=2)]
        for expansion, base, blocks, first in STAGES:
            for block in range(blocks):
                stride = first if block == 0 else 1
                features.append(Block(layer, channels, _whole(base * width), stride, expansion))
                channels = _whole(base * width)
        features.append(layer.convolution(channels, last, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(last, labels))
        # Not persistent: they are part of the network's meaning, not of its weights.
        scale, offset = _colours(origin)
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("offset", offset, persistent=False)
        self.apply(glorot if origin == "keras" else _initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (faces, labels)."""
        size = self.input_size
        if size is not None and tuple(x.shape[2:]) != (size, size):
            x = nn.functional.interpolate(x, (size, size), mode="bilinear", align_corners=False)
        x = x * self.scale + self.offset  # one grey channel becomes three here
        logits: Tensor = self.classifier(self.features(x).mean((2, 3)))
        return logits

    def load_backbone(self, weights: Mapping[str, Tensor]) -> None:
        """Take all weights but the last layer's from a state of torchvision's `mobilenet_v2`.

        Args:
            weights: tensors by torchvision's names; `classifier.*` is ignored, as are batch norm's counters.

        Raises:
            TrainingError: a weight is missing, has another shape, or is not one of this network; it is named.
        """
        own = {k: v for k, v in self.state_dict().items() if k.startswith("features.") and _is_weight(k)}
        given = {k: v for k, v in weights.items() if not k.startswith("classifier.") and _is_weight(k)}
        if unknown := sorted(given.keys() - own.keys()):
            raise TrainingError(f"these are not weights of MobileNetV2: {unknown[0]!r} is none of its layers")
        if missing := [name for name in own if name not in given]:
            raise TrainingError(f"the weights lack {missing[0]!r}; use a complete MobileNetV2")
        for name, tensor in own.items():
            if given[name].shape != tensor.shape:
                raise TrainingError(
                    f"{name!r} has the shape {tuple(given[name].shape)}, not {tuple(tensor.shape)}; "
                    "is it of another width?"
                )
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(given[name])


class _Layers:
    """Makes convolutions with batch norm in the way of one of the two origins."""

    def __init__(self, keras: bool) -> None:
        self.keras = keras

    def norm(self, channels: int) -> nn.BatchNorm2d:
        momentum, epsilon = (0.001, 1e-3) if self.keras else (0.1, 1e-5)
        return nn.BatchNorm2d(channels, eps=epsilon, momentum=momentum)

    def convolution(
        self, channels_in: int, channels: int, size: int, stride: int = 1, groups: int = 1
    ) -> nn.Sequential:
        if self.keras and stride == 2:
            conv: nn.Conv2d = _EndPadded(channels_in, channels, size, stride, groups=groups, bias=False)
        else:
            conv = nn.Conv2d(channels_in, channels, size, stride, size // 2, groups=groups, bias=False)
        return nn.Sequential(conv, self.norm(channels), nn.ReLU6())


class _EndPadded(nn.Conv2d):
    """A strided 3×3 convolution that pads an even picture on the right and below only, as Keras does."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        x = nn.functional.pad(x, (width % 2, 1, height % 2, 1))
        return super().forward(x)


class Block(nn.Module):
    """Widen, filter each channel by itself, narrow again without activation; add where shapes allow."""

    def __init__(self, layer: _Layers, channels_in: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        widen = [layer.convolution(channels_in, wide, 1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *widen,
            layer.convolution(wide, wide, 3, stride, groups=wide),
            nn.Conv2d(wide, channels, 1, bias=False),
            layer.norm(channels),
        )
        self.adds = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        """Return features (faces, channels, height, width)."""
        features: Tensor = self.conv(x)
        return x + features if self.adds else features


def _whole(channels: float) -> int:
    """Return the multiple of 8 nearest to `channels`, never more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _colours(origin: Origin) -> tuple[Tensor, Tensor]:
    """Return what turns a value normalised as a face into one normalised as the origin's weights want it."""
    keras = origin == "keras"
    mean = torch.tensor((0.5, 0.5, 0.5) if keras else IMAGENET_MEAN).view(1, 3, 1, 1)
    std = torch.tensor((0.5, 0.5, 0.5) if keras else IMAGENET_STD).view(1, 3, 1, 1)
    return FACE_STD / std, (FACE_MEAN - mean) / std


def _is_weight(name: str) -> bool:
    return not name.endswith("num_batches_tracked")


def _check(width: float, input_size: int | None, origin: str) -> None:
    if not 0.1 <= width <= 4:
        raise OptionError(f"width has to be between 0.1 and 4, not {width!r}")
    if input_size is not None and (input_size < 32 or input_size % 32):
        raise OptionError(f"input_size has to be a multiple of 32, not {input_size!r}")
    if origin not in ("torchvision", "keras"):
        raise OptionError(f"unknown origin {origin!r}; choose torchvision or keras")


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)

"""What Mien's own networks are built of: residual and inverted residual blocks, squeeze-excite."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# A deviation, in the units that the networks read, below which a face counts as flat: 5 grey levels.
FLAT = 0.08


class Standardise(nn.Module):
    """Give each face mean 0 and deviation 1 (Tang, 2013), so that light and contrast change little.

    A face that is nearly flat keeps its small deviation: noise is not blown up to a face.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (faces, channels, height, width), each channel of each face by itself."""
        return nn.functional.instance_norm(x, eps=FLAT**2)


class SqueezeExcite(nn.Module):
    """Weigh each channel by a gate computed from all of them (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (faces, channels, height, width), each channel scaled by a gate in (0, 1)."""
        gate = torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        scaled: Tensor = x * torch.sigmoid(self.excite(gate))
        return scaled


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with a shortcut (He et al., CVPR 2016), gated by squeeze-excite."""

    def __init__(self, channels_in: int, channels: int, stride: int, attention: bool = True) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            SqueezeExcite(channels) if attention else nn.Identity(),
        )
        same = stride == 1 and channels_in == channels
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                nn.Conv2d(channels_in, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return features of shape (faces, channels, height / stride, width / stride)."""
        return torch.relu(self.body(x) + self.shortcut(x))


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow again (Sandler et al., CVPR 2018), gated in between."""

    def __init__(
        self, channels_in: int, channels: int, stride: int, expansion: int, attention: bool = True
    ) -> None:
        super().__init__()
        wide = channels_in * expansion
        self.body = nn.Sequential(
            *convolution(channels_in, wide, 1),
            *convolution(wide, wide, 3, stride, groups=wide),
            SqueezeExcite(wide) if attention else nn.Identity(),
            nn.Conv2d(wide, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.adds = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        """Return features of shape (faces, channels, height / stride, width / stride)."""
        features: Tensor = self.body(x)
        return x + features if self.adds else features


def convolution(
    channels_in: int, channels: int, size: int, stride: int = 1, groups: int = 1
) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Return a convolution that keeps the picture's size (divided by `stride`), batch norm and ReLU."""
    return (
        nn.Conv2d(channels_in, channels, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


class ResidualNetwork(nn.Module):
    """A stem at full size, then stages of residual blocks, each at half the size of the one before.

    Reads float32 (faces, 1, height, width), normalised as the card says, and returns logits
    (faces, labels). Any size from 32×32 works, which training uses.
    """

    any_side = True

    def __init__(
        self,
        labels: int,
        *,
        stem: int,
        widths: tuple[int, ...],
        blocks: int,
        dropout: float,
        attention: bool = True,
        standardise: bool = False,
    ) -> None:
        super().__init__()
        self.standardise = Standardise() if standardise else nn.Identity()
        self.stem = nn.Sequential(*convolution(1, stem, 3))
        stages: list[nn.Module] = []
        channels = stem
        for width in widths:
            for block in range(blocks):
                stages.append(ResidualBlock(channels, width, 2 if block == 0 else 1, attention))
                channels = width
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, labels)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (faces, labels)."""
        features = self.stages(self.stem(self.standardise(x))).mean((2, 3))
        logits: Tensor = self.head(self.dropout(features))
        return logits


def initialise(module: nn.Module) -> None:
    """Give convolutions He's normal weights and linear layers small ones; biases are zero."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.groups > 1:
            # He's fan counts every output channel, but a grouped filter feeds only those of its group.
            module.weight.data.mul_(module.groups**0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)

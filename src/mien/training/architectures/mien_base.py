"""mien-base: a residual network with squeeze-excite for 48×48 grey faces."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STEM = 32
WIDTHS = (48, 96, 192)
BLOCKS = 2
DROPOUT = 0.2


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

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            SqueezeExcite(channels),
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


class MienBase(nn.Module):
    """Stem at full size, then three stages of two residual blocks, each at half the size of the one before.

    Reads float32 (faces, 1, height, width), normalised as the card says, and returns logits
    (faces, labels). Any size from 32×32 works, which training uses; the models are exported at 48×48.
    """

    def __init__(self, labels: int, widths: tuple[int, ...] = WIDTHS, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, STEM, 3, 1, 1, bias=False), nn.BatchNorm2d(STEM), nn.ReLU())
        stages: list[nn.Module] = []
        channels = STEM
        for width in widths:
            for block in range(blocks):
                stages.append(ResidualBlock(channels, width, stride=2 if block == 0 else 1))
                channels = width
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(channels, labels)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (faces, labels)."""
        features = self.stages(self.stem(x)).mean((2, 3))
        logits: Tensor = self.head(self.dropout(features))
        return logits


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)

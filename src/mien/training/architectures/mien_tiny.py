"""mien-tiny: inverted residuals with squeeze-excite for browsers, phones and old machines."""

from __future__ import annotations

from torch import Tensor, nn

from mien.training.architectures._blocks import InvertedResidual, Standardise, convolution, initialise

STEM, DOWN = 16, 24
# Channels, blocks and expansion of each stage; every stage halves the picture but the first.
STAGES = ((24, 1, 2), (48, 3, 3), (96, 2, 3))
LAST = 192
DROPOUT = 0.1


class MienTiny(nn.Module):
    """Plain convolutions where pixels are many and channels few, inverted residuals after that.

    A small face loses its expression when the first layer already halves it, so the stem works at full
    size and costs little for its 16 channels. Reads float32 (faces, 1, height, width), normalised as the
    card says, and returns logits (faces, labels). Any size from 32×32 works. Without `attention` the
    blocks have no squeeze-excite; all other parameters keep their names.
    With `standardise` each face is brought to mean 0 and deviation 1 first.
    """

    any_side = True

    def __init__(self, labels: int, attention: bool = True, standardise: bool = False) -> None:
        super().__init__()
        self.standardise = Standardise() if standardise else nn.Identity()
        self.stem = nn.Sequential(*convolution(1, STEM, 3), *convolution(STEM, DOWN, 3, 2))
        stages: list[nn.Module] = []
        channels = DOWN
        for stage, (width, blocks, expansion) in enumerate(STAGES):
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(InvertedResidual(channels, width, stride, expansion, attention))
                channels = width
        self.stages = nn.Sequential(*stages)
        self.last = nn.Sequential(*convolution(channels, LAST, 1))
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(LAST, labels)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (faces, labels)."""
        features = self.last(self.stages(self.stem(self.standardise(x)))).mean((2, 3))
        logits: Tensor = self.head(self.dropout(features))
        return logits

"""r1: the custom network of reference system R1, for 48×48 grey faces."""

from __future__ import annotations

from torch import Tensor, nn

from mien.training.architectures._keras import ConvNorm, DenseNorm, initialise


class R1(nn.Module):
    """Seven convolutions with batch norm, a global average, 128 features; 618,727 parameters at 7 labels.

    617,063 of them are trained, the others are running statistics of batch norm. That is the published
    count, and it holds only with biases in all convolutions and in the dense layer before batch norm.
    Convolutions are padded to keep the picture's size, poolings are 2×2, rates of dropout are the published
    ones. Its L2 penalty of 1e-3 belongs to the recipe, not to the network.

    Reads float32 (faces, 1, height, width) from 8×8, normalised as the card says, and returns logits
    (faces, labels). Nothing is flattened, so weights from Keras need no reordering.
    """

    any_side = True

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_stage(1, 32, dropout=0.25),
            *_stage(32, 64, dropout=0.3),
            *_stage(64, 128, dropout=0.4),
            ConvNorm(128, 256, nn.ReLU),
        )
        self.head = nn.Sequential(DenseNorm(256, 128, nn.ReLU), nn.Dropout(0.5), nn.Linear(128, labels))
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (faces, labels)."""
        logits: Tensor = self.head(self.features(x).mean((2, 3)))
        return logits


def _stage(channels_in: int, channels: int, dropout: float) -> tuple[nn.Module, ...]:
    return (
        ConvNorm(channels_in, channels, nn.ReLU),
        ConvNorm(channels, channels, nn.ReLU),
        nn.MaxPool2d(2),
        nn.Dropout(dropout),
    )

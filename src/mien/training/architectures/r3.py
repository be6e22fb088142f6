"""r3: the VGG-style network of reference system R3, for 48×48 grey faces."""

from __future__ import annotations

from torch import nn

from mien.training.architectures._keras import ConvNorm, FlatNetwork


class R3(FlatNetwork):
    """Six convolutions with batch norm, flattened into 256 features; 3,509,191 parameters at 7 labels.

    The published count holds with biases in the convolutions, padding that keeps the picture's size, 2×2
    poolings (48 → 24 → 12 → 6) and no batch norm in the head. The description gives no place to the
    activation of the convolutions; they have ReLU before batch norm (`Conv2D(activation="relu")`), unless
    `activation_first` is false. Rates of dropout are the published ones.

    Reads float32 (faces, 1, side, side), normalised as the card says, and returns logits (faces, labels).
    """

    def __init__(self, labels: int, side: int = 48, activation_first: bool = True) -> None:
        def stage(channels_in: int, channels: int, dropout: float) -> tuple[nn.Module, ...]:
            return (
                ConvNorm(channels_in, channels, nn.ReLU, activation_first),
                ConvNorm(channels, channels, nn.ReLU, activation_first),
                nn.MaxPool2d(2),
                nn.Dropout(dropout),
            )

        end = side // 8
        features = nn.Sequential(*stage(1, 64, 0.25), *stage(64, 128, 0.35), *stage(128, 256, 0.45))
        head = nn.Sequential(
            nn.Linear(256 * end * end, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, labels)
        )
        super().__init__(features, head, side, (256, end, end))

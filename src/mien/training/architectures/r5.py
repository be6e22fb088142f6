"""r5: the network of reference system R5, for 48×48 grey faces and five emotions."""

from __future__ import annotations

from torch import nn

from mien.training.architectures._keras import ConvNorm, DenseNorm, FlatNetwork


class R5(FlatNetwork):
    """Six convolutions with batch norm, flattened into 512 features; 883,173 parameters at 5 labels.

    The published count holds with biases everywhere, padding that keeps the picture's size and four 2×2
    poolings (48 → 24 → 12 → 6 → 3). The description gives no place to the activations; they are ReLU before
    batch norm (`Conv2D(activation="relu")`), unless `activation_first` is false. Rates of dropout are the
    published ones.

    Reads float32 (faces, 1, side, side), normalised as the card says, and returns logits (faces, labels).
    """

    def __init__(self, labels: int, side: int = 48, activation_first: bool = True) -> None:
        def conv(channels_in: int, channels: int) -> nn.Module:
            return ConvNorm(channels_in, channels, nn.ReLU, activation_first)

        end = side // 16
        features = nn.Sequential(
            *(conv(1, 32), conv(32, 32), nn.MaxPool2d(2)),
            *(conv(32, 64), conv(64, 64), nn.MaxPool2d(2), nn.Dropout(0.3)),
            *(conv(64, 128), nn.MaxPool2d(2)),
            *(conv(128, 128), nn.MaxPool2d(2)),
        )
        head = nn.Sequential(
            DenseNorm(128 * end * end, 512, nn.ReLU, activation_first),
            nn.Dropout(0.5),
            nn.Linear(512, labels),
        )
        super().__init__(features, head, side, (128, end, end))

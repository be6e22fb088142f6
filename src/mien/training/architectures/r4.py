"""r4: the network of reference system R4, for 48×48 grey faces."""

from __future__ import annotations

from functools import partial

from torch import nn

from mien.training.architectures._keras import ConvNorm, DenseNorm, FlatNetwork

LEAK = 0.1
# The rates of the convolutions' dropout are not published; these are what R1 uses for the same widths.
DROPOUT, SPATIAL_DROPOUT = 0.25, 0.3


class R4(FlatNetwork):
    """Six convolutions with batch norm and LeakyReLU, 256 features; 1,470,951 parameters at 7 labels.

    The published count holds with biases everywhere, padding that keeps the picture's size, 2×2 poolings
    (48 → 24 → 12 → 6) and batch norm in the head. The first stage ends with dropout of single values, the
    second with dropout of whole channels; their rates are not published (0.25 and 0.3 here). None is
    described after the third stage, and 0.5 before the last layer.

    Reads float32 (faces, 1, side, side), normalised as the card says, and returns logits (faces, labels).
    """

    def __init__(self, labels: int, side: int = 48) -> None:
        end = side // 8
        features = nn.Sequential(
            *_stage(1, 32),
            nn.Dropout(DROPOUT),
            *_stage(32, 64),
            nn.Dropout2d(SPATIAL_DROPOUT),
            *_stage(64, 128),
        )
        head = nn.Sequential(DenseNorm(128 * end * end, 256, _leaky), nn.Dropout(0.5), nn.Linear(256, labels))
        super().__init__(features, head, side, (128, end, end))


_leaky = partial(nn.LeakyReLU, LEAK)


def _stage(channels_in: int, channels: int) -> tuple[nn.Module, ...]:
    return (ConvNorm(channels_in, channels, _leaky), ConvNorm(channels, channels, _leaky), nn.MaxPool2d(2))

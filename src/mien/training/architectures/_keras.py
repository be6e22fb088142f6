"""Layers as Keras makes them, for the reference networks that were made with it.

Keras differs from PyTorch in four ways that matter here: convolutions have a bias although batch norm
follows; weights start Glorot-uniform and biases at zero; batch norm keeps 0.99 of its running statistics
(momentum 0.01 in PyTorch's words) and adds 1e-3 to the variance; pictures are (height, width, channels), so
a flattened picture counts channels fastest. In every network made of these layers `modules()` names
convolutions, batch norms and linear layers in the order in which the Keras model has them. To import weights:

- convolution kernel (kh, kw, in, out) → transpose to (out, in, kh, kw);
- batch norm gamma, beta, moving mean, moving variance → weight, bias, running_mean, running_var;
- dense kernel (in, out) → transpose; the one after the flattening first needs its rows in our order:
  reshape (height, width, channels, out), transpose to (out, channels, height, width), flatten all but the
  first; `flattened` of the network is its (channels, height, width).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from mien.core.errors import TrainingError

MOMENTUM, EPSILON = 0.01, 1e-3

Activation = Callable[[], nn.Module]


class ConvNorm(nn.Module):
    """A 3×3 convolution that keeps the picture's size, batch norm and activation.

    The activation stands behind the norm (`Conv2D`, `BatchNormalization`, `ReLU`) or, with
    `activation_first`, before it (`Conv2D(activation="relu")`, `BatchNormalization`).
    """

    def __init__(
        self, channels_in: int, channels: int, activation: Activation, activation_first: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels, eps=EPSILON, momentum=MOMENTUM)
        self.activation = activation()
        self.activation_first = activation_first

    def forward(self, x: Tensor) -> Tensor:
        """Return features (faces, channels, height, width)."""
        x = self.conv(x)
        x = self.norm(self.activation(x)) if self.activation_first else self.activation(self.norm(x))
        return x


class DenseNorm(nn.Module):
    """A linear layer, batch norm and activation; their order as in `ConvNorm`."""

    def __init__(
        self, features_in: int, features: int, activation: Activation, activation_first: bool = False
    ) -> None:
        super().__init__()
        self.dense = nn.Linear(features_in, features)
        self.norm = nn.BatchNorm1d(features, eps=EPSILON, momentum=MOMENTUM)
        self.activation = activation()
        self.activation_first = activation_first

    def forward(self, x: Tensor) -> Tensor:
        """Return features (faces, features)."""
        x = self.dense(x)
        x = self.norm(self.activation(x)) if self.activation_first else self.activation(self.norm(x))
        return x


class FlatNetwork(nn.Module):
    """Convolutions and poolings, flattened into linear layers: it reads faces of one size only.

    Reads float32 (faces, 1, side, side), normalised as the card says, and returns logits (faces, labels).
    """

    any_side = False

    def __init__(
        self, features: nn.Sequential, head: nn.Sequential, side: int, flattened: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.features = features
        self.head = head
        self.side = side
        self.flattened = flattened
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (faces, labels).

        Raises:
            TrainingError: the faces are not of the side that the network was made for.
        """
        height, width = x.shape[2:]
        if (height, width) != (self.side, self.side):
            raise TrainingError(
                f"this network reads faces of {self.side}×{self.side} pixels, not {width}×{height}; "
                "train it without small crops, or choose another network"
            )
        logits: Tensor = self.head(self.features(x).flatten(1))
        return logits


def initialise(module: nn.Module) -> None:
    """Give convolutions and linear layers Keras's first weights: Glorot uniform, biases zero."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

"""The weights of an imported model for `mien train --from`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mien.training.architectures.r2 import R2
from mien.training.batches import MEAN, STD
from mien.training.checkpoints import checkpoint_bytes
from mien.training.export import weights_of
from mien.zoo.card import Card, ModelInput


def twin_of(network: nn.Module, card: Card, arguments: Mapping[str, Any]) -> bytes | None:
    """Return a safetensors file to fine-tune from, or None where training cannot make the same network.

    Training scales pixels in one way for all networks. The first convolution is changed so that it says the
    same of them; only along the border, where zeros are padded, it differs a little, and training takes it
    from there.

    Args:
        network: with the weights.
        card: of the model.
        arguments: that the network was made with.
    """
    if arguments.get("activation_first") is False or arguments.get("side", 48) != 48:
        return None
    options: dict[str, Any] = {"architecture": card.architecture}
    if card.architecture == "r2":
        side = card.input.width
        size = side if side % 32 == 0 and side <= 1024 else 0
        options |= {"width": arguments["width"], "input_size": size, "origin": "keras"}
    state = {"model": card.name, "labels": list(card.labels), "network": options}
    return checkpoint_bytes(_rescaled(network, card.input), state)


def _rescaled(network: nn.Module, reads: ModelInput) -> dict[str, Tensor]:
    """Return the weights for pixels as training scales them.

    What the network reads is `factor * x + summand` of what training gives it.
    """
    factor, summand = STD / reads.std, (MEAN - reads.mean) / reads.std
    weights = weights_of(network)
    if (factor, summand) == (1.0, 0.0):
        return weights
    names = {id(tensor): name for name, tensor in network.state_dict(keep_vars=True).items()}
    conv = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    kernel = weights[names[id(conv.weight)]]
    if isinstance(network, R2):  # its own scaling stands between; without a bias, batch norm takes the shift
        scale, offset = float(network.scale.flatten()[0]), float(network.offset.flatten()[0])
        summand = scale * summand + offset - factor * offset
        norm = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
        assert norm.running_mean is not None
        shifted, sign = names[id(norm.running_mean)], -1
    else:
        shifted, sign = names[id(conv.bias)], 1
    shift = kernel.sum((1, 2, 3)) * summand
    return {
        **weights,
        names[id(conv.weight)]: kernel * factor,
        shifted: weights[shifted] + sign * shift,
    }

"""What a network costs: parameters and multiply-adds of one forward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights that are trained."""
    return sum(p.numel() for p in network.parameters())


@torch.no_grad()
def count_multiply_adds(network: nn.Module, shape: tuple[int, int, int]) -> int:
    """Return the multiply-adds of all convolutions and linear layers for one picture of `shape`.

    Args:
        network: any network; it is run once in evaluation mode and left in the mode it was in.
        shape: channels, height, width.
    """
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += output[0].numel() * module.in_features

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    was_training = network.training
    try:
        network.eval()
        network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return total

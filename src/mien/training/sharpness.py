"""Sharpness-aware steps: gradients from where the loss nearby is highest (Foret et al., ICLR 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

_TINY = 1e-12


@contextmanager
def climbed(network: nn.Module, radius: float) -> Iterator[None]:
    """A block in which the weights are moved up the gradient that they have, by `radius` in all.

    After it they are what they were, bit for bit. Batch norm's running statistics do not follow the block:
    they are of the weights that are kept.

    Args:
        network: with gradients.
        radius: length of the move over all weights.
    """
    moved = [p for p in network.parameters() if p.grad is not None]
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    kept = [p.detach().clone() for p in moved]
    with torch.no_grad():
        length = torch.stack([p.grad.norm() for p in moved if p.grad is not None]).norm()
        for parameter in moved:
            if parameter.grad is not None:
                parameter.add_(parameter.grad * (radius / (length + _TINY)))
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        with torch.no_grad():
            for parameter, value in zip(moved, kept, strict=True):
                parameter.copy_(value)

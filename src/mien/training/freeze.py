"""Holding a network still while its last layers learn: the first part of fine-tuning."""

from __future__ import annotations

from torch import nn

from mien.core.errors import TrainingError


def head_of(network: nn.Module) -> nn.Module:
    """Return the last layers of a network, which decide on the labels.

    They are its attribute `head` or `classifier`, or else its last linear layer.

    Raises:
        TrainingError: it has neither.
    """
    for name in ("head", "classifier"):
        if isinstance(head := getattr(network, name, None), nn.Module):
            return head
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise TrainingError(
            f"{type(network).__name__} has no head, classifier or linear layer to train by itself; "
            "leave freeze_epochs at 0"
        )
    return linear[-1]


class Body:
    """All layers of a network but the last ones."""

    def __init__(self, network: nn.Module) -> None:
        last = set(head_of(network).modules())
        self._modules = [m for m in network.modules() if m not in last and not list(m.children())]
        learnt = set(head_of(network).parameters())
        # What never learns in this network is not to begin with it.
        self._parameters = [p for p in network.parameters() if p not in learnt and p.requires_grad]

    def hold(self, still: bool) -> None:
        """Hold weights, running statistics and dropout still, or let them go; the network is in training."""
        for parameter in self._parameters:
            parameter.requires_grad_(not still)
        for module in self._modules:
            module.train(not still)

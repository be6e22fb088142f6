"""What a network costs: parameters and multiply-adds of one forward pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Counts:
    """Parameters as Keras counts them: batch norm has four a channel, two of which are not trained."""

    parameters: int
    trainable: int


def counts(network: nn.Module) -> Counts:
    """Return all parameters with batch norm's running mean and variance, and those that are trained."""
    running = 0
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            running += sum(s.numel() for s in (module.running_mean, module.running_var) if s is not None)
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return Counts(count_parameters(network) + running, trained)


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights, those of frozen layers too; running statistics are none."""
    return sum(p.numel() for p in network.parameters())


Note = Callable[[str, nn.Module, Tensor], None]


@torch.no_grad()
def watch(network: nn.Module, shape: tuple[int, int, int], note: Note) -> None:
    """Run the network once on a black picture and call `note(name, module, output)` for every module.

    Args:
        network: any network; it runs in evaluation mode and is left in the mode it was in.
        shape: channels, height, width.
        note: is called when a module has run, so those inside it come first.
    """

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda module, inputs, output: note(name, module, output)

    hooks = [module.register_forward_hook(hook(name)) for name, module in network.named_modules()]
    was_training = network.training
    try:
        network.eval()
        network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        network.train(was_training)
        for handle in hooks:
            handle.remove()


def count_multiply_adds(network: nn.Module, shape: tuple[int, int, int]) -> int:
    """Return the multiply-adds of all convolutions and linear layers for one picture of `shape`."""
    total = 0

    def note(name: str, module: nn.Module, output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += output[0].numel() * module.in_features

    watch(network, shape, note)
    return total


def summarise(network: nn.Module, shape: tuple[int, int, int]) -> str:
    """Return a table of every layer with its output and parameters, and the totals, as plain text."""
    rows = [("layer", "kind", "output", "parameters")]

    def note(name: str, module: nn.Module, output: Tensor) -> None:
        if not list(module.children()):
            sides = "×".join(str(side) for side in output.shape[1:])
            parameters = sum(p.numel() for p in module.parameters())
            rows.append((name, type(module).__name__, sides, f"{parameters:,}"))

    watch(network, shape, note)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    counted = counts(network)
    totals = (
        f"parameters {counted.parameters:,} with running statistics, {counted.trainable:,} trained; "
        f"multiply-adds {count_multiply_adds(network, shape):,} for a face of {shape[2]}×{shape[1]}"
    )
    return "\n".join(line.rstrip() for line in [type(network).__name__, "", *lines, "", totals]) + "\n"

"""Optimisers by name, and their state as plain tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mien.training.config import TrainingConfig
from mien.training.muon import Muon, muon

_COUNT = "step"  # one number a weight: how often Adam has moved it


def create_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return the configured optimiser; only weights of convolutions and linear layers decay."""
    if config.optimizer == "muon":
        return muon(network, config)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "adam":
        return torch.optim.Adam(groups, lr=0.0)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=0.0)
    return torch.optim.SGD(groups, lr=0.0, momentum=config.momentum, nesterov=True)


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return what the optimiser remembers, as `{number of the weight/name: tensor}`."""
    return {
        f"{number}/{name}": value
        for number, parameter in enumerate(_parameters(optimizer))
        for name, value in optimizer.state[parameter].items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_state` returned, in each weight's own memory layout and device.

    Raises:
        ValueError: a state is of no weight, or a weight has other states than this optimiser keeps.
    """
    parameters = _parameters(optimizer)
    found: dict[int, dict[str, Tensor]] = {}
    for name, value in state.items():
        digits, _, kind = name.partition("/")
        if not digits.isdecimal() or len(digits) > 9 or int(digits) >= len(parameters):
            raise ValueError(f"the optimiser keeps no {name[:100]!r}")
        found.setdefault(int(digits), {})[kind] = value
    for number, values in found.items():
        parameter = parameters[number]
        kinds = _kinds(optimizer, parameter)
        wanted = {kind: () if kind == _COUNT else tuple(parameter.shape) for kind in kinds}
        if wanted != {kind: tuple(value.shape) for kind, value in values.items()}:
            raise ValueError(f"the optimiser keeps {wanted} of weight {number}, not what is there")
        for kind, value in values.items():
            like = value if kind == _COUNT else parameter
            optimizer.state[parameter][kind] = torch.empty_like(like).copy_(value)


def _kinds(optimizer: torch.optim.Optimizer, parameter: Tensor) -> tuple[str, ...]:
    """What the optimiser remembers of a weight that it has moved."""
    has_momentum = isinstance(optimizer, torch.optim.SGD) or (
        isinstance(optimizer, Muon) and optimizer.turns(parameter)
    )
    return ("momentum_buffer",) if has_momentum else (_COUNT, "exp_avg", "exp_avg_sq")


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]

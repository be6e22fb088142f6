"""Optimisers by name, and their state as plain tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mien.training.config import TrainingConfig


def create_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return the configured optimiser; only weights of convolutions and linear layers decay."""
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


def restore_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Tensor]) -> None:
    """Put back what `optimizer_state` returned, in each weight's own memory layout and device."""
    for number, parameter in enumerate(_parameters(optimizer)):
        start = f"{number}/"
        for name, value in state.items():
            if not name.startswith(start):
                continue
            like = parameter if value.shape == parameter.shape else value
            own = torch.empty_like(like, device=parameter.device if like is parameter else value.device)
            optimizer.state[parameter][name.removeprefix(start)] = own.copy_(value)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]

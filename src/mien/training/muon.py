"""Muon: momentum whose every direction is made equally long, for the weights of hidden layers.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the size of a step follows
Liu et al., "Muon is scalable for LLM training", 2025, so that rates that suit AdamW suit it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mien.training.config import TrainingConfig

_ROUNDS = 5
# Of the polynomial that brings singular values near 1; they are the paper's.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_LIKE_ADAM = 0.2
_BETAS, _EPSILON = (0.9, 0.999), 1e-8


class Muon(torch.optim.Optimizer):
    """Muon for the parameters of groups with `turned`, AdamW for those of the others."""

    def __init__(self, groups: list[dict[str, Any]], momentum: float) -> None:
        super().__init__(groups, {"lr": 0.0, "momentum": momentum, "weight_decay": 0.0, "turned": False})
        self._turned = {id(p) for group in self.param_groups if group["turned"] for p in group["params"]}

    def turns(self, parameter: Tensor) -> bool:
        """Return whether Muon moves this parameter, not AdamW."""
        return id(parameter) in self._turned

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient; `closure` is not used."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                move = self._turn if group["turned"] else self._adam
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(move(parameter, group), alpha=-group["lr"])

    def _turn(self, parameter: Tensor, group: dict[str, Any]) -> Tensor:
        state, gradient = self.state[parameter], _gradient(parameter)
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        momentum = state["momentum_buffer"]
        momentum.lerp_(gradient, 1 - group["momentum"])
        wanted: Tensor = gradient.lerp(momentum, group["momentum"])
        matrix = orthogonal(wanted.flatten(1))
        move: Tensor = matrix.view(parameter.shape) * (_LIKE_ADAM * max(matrix.shape) ** 0.5)
        return move

    def _adam(self, parameter: Tensor, _: dict[str, Any]) -> Tensor:
        state, gradient = self.state[parameter], _gradient(parameter)
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        state["step"] += 1
        count = state["step"].item()
        mean: Tensor = state["exp_avg"].lerp_(gradient, 1 - _BETAS[0])
        square: Tensor = state["exp_avg_sq"].lerp_(gradient.square(), 1 - _BETAS[1])
        spread = (square / (1 - _BETAS[1] ** count)).sqrt().add_(_EPSILON)
        move: Tensor = mean / (1 - _BETAS[0] ** count) / spread
        return move


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        raise ValueError("a weight without a gradient cannot be moved")
    return parameter.grad


def muon(network: nn.Module, config: TrainingConfig) -> Muon:
    """Return Muon for every weight of a hidden convolution or linear layer that mixes channels.

    AdamW moves what is left: the first layer's filters and those of depthwise convolutions, which are no
    matrices, the last layer, biases and norms.
    """
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    last = {id(module.weight) for module in linear[-1:]}
    weights = [p for p in network.parameters() if p.ndim > 1]
    turned = [p for p in weights if p.shape[1] > 1 and id(p) not in last]
    chosen = {id(p) for p in turned}
    groups: list[dict[str, Any]] = [
        {"params": turned, "weight_decay": config.weight_decay, "turned": True},
        {"params": [p for p in weights if id(p) not in chosen], "weight_decay": config.weight_decay},
        {"params": [p for p in network.parameters() if p.ndim <= 1]},
    ]
    return Muon([group for group in groups if group["params"]], config.momentum)


def orthogonal(matrix: Tensor) -> Tensor:
    """Return about the nearest matrix with singular values of 1, by five Newton-Schulz rounds.

    Args:
        matrix: float (rows, columns).

    Returns:
        The same shape and type; singular values between about 0.7 and 1.2, where they were not almost 0.
    """
    wide = matrix.bfloat16() if matrix.is_cuda else matrix.float()
    is_tall = matrix.shape[0] > matrix.shape[1]
    wide = wide.mT if is_tall else wide
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = wide @ wide.mT
        wide = _A * wide + (_B * square + _C * square @ square) @ wide
    found: Tensor = wide.mT if is_tall else wide
    return found.to(matrix.dtype)

"""Weights of Keras into a network of Mien: by order and kind, never by name; names are for messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.core.errors import ModelError
from mien.training.architectures._keras import FlatNetwork
from mien.training.keras_import.config import Weighted
from mien.training.keras_import.file import KerasFile
from mien.training.keras_import.layers import CONVOLUTION, DENSE, DEPTHWISE, NORM, ROLES, KerasLayer

_KINDS = (CONVOLUTION, DEPTHWISE, NORM, DENSE)
Array = NDArray[np.float32]


def ordered(file: KerasFile, weighted: Sequence[Weighted], name: str) -> list[KerasLayer]:
    """Return the layers of a file in the order of its description.

    Raises:
        ModelError: the description and the weights do not have the same layers.
    """
    by_place = {layer.place if layer.place else layer.name: layer for layer in file.layers}
    if len(by_place) != len(file.layers):
        raise ModelError(
            f"two layers in {name} have one name; give them names of their own and save it again"
        )
    found = []
    for entry in weighted:
        layer = by_place.pop(entry.name, None) or by_place.pop(entry.place, None)
        if layer is None:
            raise ModelError(f"{name} describes a layer {entry.name!r} and has no weights of it")
        found.append(_with_roles(layer, entry.config))
    if by_place:
        layer = next(iter(by_place.values()))
        raise ModelError(f"{name} has weights of a layer {layer.name!r} that its description lacks")
    return found


def _with_roles(layer: KerasLayer, config: Mapping[str, Any]) -> KerasLayer:
    """Name the weights of a batch norm without scale or center, which newer files only number."""
    if layer.kind != NORM or "moving_mean" in layer.weights:
        return layer
    left_out = {role for role, flag in (("gamma", "scale"), ("beta", "center")) if config.get(flag) is False}
    roles = [role for role in ROLES[NORM] if role not in left_out]
    if set(layer.weights) != {str(number) for number in range(len(roles))}:
        return layer
    named = {role: layer.weights[str(number)] for number, role in enumerate(roles)}
    return KerasLayer(layer.name, layer.place, layer.kind, named)


def put(network: nn.Module, layers: Sequence[KerasLayer], architecture: str, name: str) -> None:
    """Put the weights into a network, the first of a kind into the first of that kind and so on.

    Raises:
        ModelError: a layer is missing, too many, of another kind or shape; it is named.
    """
    if unknown := [layer for layer in layers if layer.kind is None]:
        raise ModelError(
            f"layer {unknown[0].name!r} in {name} has weights ({_shapes(unknown[0])}) and is none that "
            f"{architecture} has; choose another --arch"
        )
    for kind in _KINDS:
        given = [layer for layer in layers if layer.kind == kind]
        wanted = [module for module in network.modules() if _kind(module) == kind]
        for layer, module in zip(given, wanted, strict=False):
            _put_layer(layer, module, network, architecture, name)
        if len(given) != len(wanted):
            extra = f"; {given[len(wanted)].name!r} is one too many" if len(given) > len(wanted) else ""
            raise ModelError(
                f"{name} has {len(given)} layers of the kind {kind} and {architecture} has {len(wanted)}"
                f"{extra}; choose another --arch"
            )


def _kind(module: nn.Module) -> str | None:
    match module:
        case nn.Conv2d():
            return DEPTHWISE if module.groups > 1 else CONVOLUTION
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return NORM
        case nn.Linear():
            return DENSE
    return None


def _put_layer(
    layer: KerasLayer, module: nn.Module, network: nn.Module, architecture: str, name: str
) -> None:
    wanted = _wanted_shapes(module)
    if "0" in layer.weights:  # without a description nobody knows which of them is left out
        raise ModelError(
            f"layer {layer.name!r} in {name} has the weights {_shapes(layer)}, and {architecture} has "
            f"{', '.join(wanted)} there; import the whole model, whose file describes its layers"
        )
    weights = _completed(layer, wanted)
    for role, array in weights.items():
        if role not in wanted:
            raise ModelError(
                f"layer {layer.name!r} in {name} has a {role} of shape {array.shape} and {architecture} has "
                "none there; choose another --arch"
            )
    for role, shape in wanted.items():
        found = weights[role].shape if role in weights else "none"
        if found != shape:
            raise ModelError(
                f"layer {layer.name!r} in {name} has a {role} of shape {found} where {architecture} has "
                f"{shape}; choose the --arch it was trained with"
            )
    with torch.no_grad():
        for own, tensor in _tensors(module, weights, network).items():
            getattr(module, own).copy_(tensor)


def _wanted_shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shapes that Keras gives the weights of a layer."""
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return {role: (module.num_features,) for role in ROLES[NORM]}
    assert isinstance(module, nn.Conv2d | nn.Linear)
    if isinstance(module, nn.Linear):
        kernel: tuple[int, ...] = (module.in_features, module.out_features)
    elif module.groups > 1:
        kernel = (*module.kernel_size, module.out_channels, 1)
    else:
        kernel = (*module.kernel_size, module.in_channels, module.out_channels)
    bias = {} if module.bias is None else {"bias": (module.bias.shape[0],)}
    return {"kernel": kernel, **bias}


def _completed(layer: KerasLayer, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Add what a layer leaves out and what changes nothing: a bias of 0, a gamma of 1, a beta of 0.

    A grey picture in a network for colours counts for each of the three channels by a third.
    """
    weights = dict(layer.weights)
    neutral = {"bias": 0.0, "gamma": 1.0, "beta": 0.0}
    if set(weights) & {"kernel", "moving_mean"}:
        for role, value in neutral.items():
            if role in wanted and role not in weights:
                weights[role] = np.full(wanted[role], value, np.float32)
    kernel = weights.get("kernel")
    if kernel is not None and kernel.ndim == 4 and kernel.shape[2] == 1 and wanted["kernel"][2] == 3:
        weights["kernel"] = np.repeat(kernel / np.float32(3), 3, axis=2)
    return weights


def _tensors(module: nn.Module, weights: Mapping[str, Array], network: nn.Module) -> dict[str, Tensor]:
    """Return tensors by their names in PyTorch, axes in its order."""
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        names = ("weight", "bias", "running_mean", "running_var")
        return {own: torch.from_numpy(weights[role]) for own, role in zip(names, ROLES[NORM], strict=True)}
    kernel = torch.from_numpy(weights["kernel"])
    if isinstance(module, nn.Conv2d):
        order = (2, 3, 0, 1) if module.groups > 1 else (3, 2, 0, 1)
        made = {"weight": kernel.permute(order)}
    elif isinstance(network, FlatNetwork) and module is _after_flattening(network):
        channels, height, width = network.flattened
        rows = kernel.reshape(height, width, channels, -1)
        made = {"weight": rows.permute(3, 2, 0, 1).flatten(1)}
    else:
        made = {"weight": kernel.T}
    return made | ({"bias": torch.from_numpy(weights["bias"])} if "bias" in weights else {})


def _after_flattening(network: FlatNetwork) -> nn.Linear:
    return next(module for module in network.head.modules() if isinstance(module, nn.Linear))


def put_epsilons(network: nn.Module, weighted: Sequence[Weighted], name: str) -> None:
    """Make each batch norm divide by what the file's does.

    A variance v with another epsilon e than the network's own E is the variance v + e - E: so the weights
    stay those of the plain network, and any copy of it computes the same.
    """
    norms = [module for module in network.modules() if _kind(module) == NORM]
    entries = [entry for entry in weighted if "epsilon" in entry.config]
    if len(entries) != len(norms):
        return  # not described; Keras's own epsilon is the network's
    for entry, module in zip(entries, norms, strict=True):
        epsilon = entry.config["epsilon"]
        if not isinstance(epsilon, int | float) or not 0 <= epsilon <= 1:
            raise ModelError(
                f"layer {entry.name!r} in {name} has the epsilon {epsilon!r}, which has no meaning"
            )
        assert isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
        assert module.running_var is not None
        if epsilon != module.eps:
            module.running_var += epsilon - module.eps
        if (module.running_var + module.eps <= 0).any():
            raise ModelError(f"layer {entry.name!r} in {name} has a moving_variance below zero")


def _shapes(layer: KerasLayer) -> str:
    return ", ".join(f"{role} {array.shape}" for role, array in layer.weights.items())

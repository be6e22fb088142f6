"""Files of weights as Keras writes them, made without Keras."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

Weights = dict[str, dict[str, Any]]

# A convolution of a reference network, in the description of a model.
CONV: dict[str, Any] = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "activation": "relu"}


def weights_of(architecture: str, labels: int = 7) -> Weights:
    """Random weights of a network as Keras 2 names and shapes them, by layer."""
    import torch

    from mien.training.architectures import create_network

    generator = np.random.default_rng(1)
    made: Weights = {}
    counts = {"conv2d": 0, "batch_normalization": 0, "dense": 0}

    def layer(kind: str, **shapes: tuple[int, ...]) -> None:
        name = kind + (f"_{counts[kind]}" if counts[kind] else "")
        counts[kind] += 1
        made[name] = {role: generator.uniform(0.1, 1, shape) for role, shape in shapes.items()}

    for module in create_network(architecture, labels).modules():
        if isinstance(module, torch.nn.Conv2d):
            kernel = (*module.kernel_size, module.in_channels, module.out_channels)
            layer("conv2d", kernel=kernel, bias=kernel[3:])
        elif isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            shape = (module.num_features,)
            layer("batch_normalization", gamma=shape, beta=shape, moving_mean=shape, moving_variance=shape)
        elif isinstance(module, torch.nn.Linear):
            layer("dense", kernel=(module.in_features, module.out_features), bias=(module.out_features,))
    return made


def write_older(path: Path, weights: Weights, *, cut: bool = False) -> Path:
    """Write what `save_weights` of Keras 2 wrote; `cut` as it does where names are many."""
    import h5py

    with h5py.File(path, "w") as file:
        names = [name.encode() for name in weights]
        if cut:
            half = len(names) // 2
            file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:half], names[half:]
        else:
            file.attrs["layer_names"] = names
        for name, arrays in weights.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{role}:0".encode() for role in arrays]
            for role, array in arrays.items():
                group[f"{name}/{role}:0"] = array.astype(np.float32)
    return path


def write_newer(path: Path | io.BytesIO, weights: Weights, separator: str = "/") -> Any:
    """Write what `save_weights` of Keras 3 writes; on Windows its first versions wrote backslashes."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, arrays in weights.items():
            group = file.create_group(separator.join(("_layer_checkpoint_dependencies", name, "vars")))
            for number, array in enumerate(arrays.values()):
                group[str(number)] = array.astype(np.float32)
    return path


def model(*layers: tuple[str, dict[str, Any]], kind: str = "Sequential") -> dict[str, Any]:
    """Describe a model of layers (class, options) as Keras does."""
    entries = [
        {"class_name": kind_, "config": {"name": f"{kind_.lower()}_x", **rest}} for kind_, rest in layers
    ]
    return {"class_name": kind, "config": {"name": "m", "layers": entries}}

"""Make `mien-base.safetensors`, to fine-tune, out of `mien-base.onnx`, whose checkpoint is lost.

    .venv/bin/python docs/experiments/rebuild_weights.py FER2013_TRAIN

The exporter folded every batch norm into the convolution before it. Its weights are kept as they are, and
each batch norm gets the statistics that the convolution's results have on 2,048 training faces, with the
scale and the offset that undo them and add the folded bias. So the network computes what the ONNX file
computes, and in training, where batches bring their own statistics, it goes on from there too. Models
exported since then have their own `.safetensors`; this was needed once.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from mien.core.files import atomic_write
from mien.datasets import load_dataset
from mien.training.architectures import create_network
from mien.training.checkpoints import checkpoint_bytes
from mien.training.loop import normalise
from mien.zoo.registry import find

FACES, BATCH = 2048, 128
FOLDED = ".weight_bias"  # what the exporter calls the bias of a convolution that had none


def folded_norms(network: nn.Module, stored: dict[str, Tensor]) -> dict[str, nn.BatchNorm2d]:
    """Return the batch norm behind each convolution whose bias came from one, by the bias's name."""
    modules, norms = dict(network.named_modules()), {}
    for name in stored:
        if name.endswith(FOLDED):
            place, number = name.removesuffix(FOLDED).rsplit(".", 1)
            norm = modules[f"{place}.{int(number) + 1}"]
            assert isinstance(norm, nn.BatchNorm2d)
            norms[name] = norm
    return norms


def set_norm(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, bias: Tensor) -> None:
    """Make a batch norm that adds `bias` and nothing else, with these running statistics."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((norm.running_var.double() + norm.eps).sqrt())
    norm.bias.copy_(bias.double() + norm.running_mean.double())


@torch.no_grad()
def rebuild(model: onnx.ModelProto, labels: int, faces: Tensor) -> nn.Module:
    """Return mien-base with the weights of the ONNX file; `faces` as the network reads them."""
    stored = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in model.graph.initializer}
    network = create_network("mien-base", labels).eval()
    own = network.state_dict()
    network.load_state_dict({k: v for k, v in stored.items() if k in own}, strict=False)
    norms = folded_norms(network, stored)
    sums: dict[str, list[Tensor]] = {name: [] for name in norms}
    hooks = []
    for name, norm in norms.items():
        zero = torch.zeros(norm.num_features)
        set_norm(norm, zero, zero + 1, stored[name])

        def note(module: nn.Module, inputs: tuple[Tensor], output: Tensor, into: str = name) -> None:
            seen = inputs[0].double()
            sums[into].append(torch.stack([seen.mean((0, 2, 3)), seen.square().mean((0, 2, 3))]))

        hooks.append(norm.register_forward_hook(note))
    for batch in faces.split(BATCH):  # FACES is a multiple, so that means of means are the means
        network(batch)
    for hook in hooks:
        hook.remove()
    for name, norm in norms.items():
        mean, square = torch.stack(sums[name]).mean(0)
        set_norm(norm, mean, square - mean**2, stored[name])
    return network


def main(data: str) -> None:
    """Rebuild, write, and put the digest into the card."""
    entry = find("mien-base")
    card = entry.card()
    faces = load_dataset(data)
    drawn = np.random.default_rng(0).permutation(len(faces))[:FACES]
    pictures = normalise(torch.from_numpy(faces.images[drawn]).unsqueeze(1).float() / 255)
    network = rebuild(onnx.load(str(entry.path)), len(card.labels), pictures)
    weights = {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    state = {
        "model": card.name,
        "labels": list(card.labels),
        "network": {"architecture": "mien-base", "attention": True},
        "log": {"epoch": card.training["epoch"]},
    }
    content = checkpoint_bytes(weights, state)
    atomic_write(entry.twin_path, content)
    described = replace(card, safetensors_sha256=hashlib.sha256(content).hexdigest())
    atomic_write(entry.card_path, described.to_json())


if __name__ == "__main__":
    main(sys.argv[1])

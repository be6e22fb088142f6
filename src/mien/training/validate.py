"""How good the averaged weights are on the faces that are kept apart."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from mien.training.batches import normalise, to_units
from mien.training.distributed import Group
from mien.training.split import Split

_BATCH = 256


@torch.no_grad()
def validate(
    network: nn.Module, average: Mapping[str, Tensor], split: Split, group: Group
) -> tuple[float, float]:
    """Return mean loss (cross-entropy, nats) and accuracy on the validation faces.

    Args:
        network: lends its form; its own weights stay as they are.
        average: the weights to measure; what is missing is taken from the network.
        split: the data.
        group: the processes, each of which sees a part of the faces.
    """
    measured = copy.deepcopy(network).eval()
    measured.load_state_dict(average, strict=False)
    faces, labels = len(split.validation), len(split.data.labels)
    logits = torch.zeros(faces, labels)
    for rows in np.array_split(np.arange(faces), group.size)[group.rank : group.rank + 1]:
        for start in range(0, len(rows), _BATCH):
            chosen = rows[start : start + _BATCH]
            images = normalise(to_units(split.data.images[split.validation[chosen]]))
            logits[torch.from_numpy(chosen)] = measured(images.to(group.device)).float().cpu()
    logits = group.sum(logits).cpu()
    targets = torch.from_numpy(split.data.targets[split.validation])
    loss = nn.functional.cross_entropy(logits, targets).item()
    return loss, (logits.argmax(1) == targets).float().mean().item()

"""Where a run starts from: fresh weights, or those of an earlier run, which it fine-tunes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mien.core.errors import OptionError, TrainingError
from mien.training.checkpoints import load_checkpoint
from mien.training.run_folder import BEST, CONFIG, read_config, read_facts


@dataclass(frozen=True, slots=True)
class Start:
    """Weights to go on from, and what is known of them."""

    weights: dict[str, Tensor]
    facts: dict[str, Any]


def read_start(place: Path) -> Start:
    """Read the best weights of a run, or of a safetensors file that Mien wrote.

    Raises:
        OptionError: there is neither.
        TrainingError: the file is damaged.
    """
    file = place / BEST if place.is_dir() else place
    if not file.is_file():
        raise OptionError(f"{str(place)!r} is neither a run of mien train nor a safetensors file")
    weights, state = load_checkpoint(file)
    facts: dict[str, Any] = {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "epoch": state.get("log", {}).get("epoch"),
    }
    if (file.parent / CONFIG).exists():
        facts["recipe"] = read_config(file.parent).to_dict()
        facts["start"] = read_facts(file.parent).get("start")
    return Start(weights, json.loads(json.dumps(facts)))


def put_weights(network: nn.Module, start: Start) -> tuple[str, ...]:
    """Put the weights into a network; return the names of layers that stay fresh because they differ.

    A head for another number of labels stays fresh, which is how a model learns labels of its own.

    Raises:
        TrainingError: fewer than half of the weights fit; they are of another network.
    """
    own = network.state_dict()
    fitting = {k: v for k, v in start.weights.items() if k in own and own[k].shape == v.shape}
    wanted = [name for name, tensor in own.items() if tensor.is_floating_point()]
    if len(fitting) < len(wanted) / 2:
        raise TrainingError(
            f"{len(fitting)} of the network's {len(wanted)} tensors are among the weights to start from; "
            "they are of another network"
        )
    network.load_state_dict(fitting, strict=False)
    return tuple(name for name in wanted if name not in fitting)

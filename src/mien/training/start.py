"""Where a run starts from: fresh weights, or those of an earlier run, a model or a file, to fine-tune."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mien.core.errors import ModelError, ModelNotFoundError, OptionError, TrainingError
from mien.core.files import shown
from mien.training.checkpoints import check_finite, parse_checkpoint, read_weights_file
from mien.training.config import NETWORK_FIELDS, TrainingConfig, network_of
from mien.training.freeze import head_of
from mien.training.run_folder import BEST, CONFIG, check_labels, read_config, read_facts
from mien.zoo import registry, store

_MOST_EPOCHS = 1_000_000
_LONGEST = 300  # letters of a stranger's text in a message


@dataclass(frozen=True, slots=True)
class Start:
    """Weights to go on from, and what is known of them.

    Attributes:
        weights: by the names of the network's own.
        facts: plain types for the run's folder and the card, "sha256" among them.
        labels: that the last layer tells apart, in its order; None where that is not known.
        network: the options of the configuration that make the same network, `architecture` among them;
            empty where they are not known.
        foreign: the weights are another program's, whose last layer knows nothing of emotions.
    """

    weights: Mapping[str, Tensor]
    facts: dict[str, Any]
    labels: tuple[str, ...] | None = None
    network: dict[str, Any] = field(default_factory=dict)
    foreign: bool = False


def read_start(place: str | Path) -> Start:
    """Read the weights of an installed model, an ONNX file with its twin, a run, or a safetensors file.

    Args:
        place: the name of a model, a run's folder (its best weights are taken), or a file that Mien wrote.

    Raises:
        OptionError: there is none of these.
        ModelError: the model has no weights to fine-tune, or they are not those of its card.
        TrainingError: the file is damaged, or its header says what cannot be.
    """
    path = Path(place)
    if path.is_dir():
        path = path / BEST
    elif path.suffix.lower() != ".safetensors":
        path = _twin(place)
    if not path.is_file():
        raise OptionError(
            f"{str(place)!r} is neither a run of mien train nor a model or a safetensors file; check the name"
        )
    content = read_weights_file(path)
    weights, state = parse_checkpoint(content, path)
    check_finite(weights, path)
    facts: dict[str, Any] = {"sha256": hashlib.sha256(content).hexdigest(), "epoch": _epoch(state, path)}
    if (path.parent / CONFIG).exists():
        config, run = read_config(path.parent), read_facts(path.parent)
        facts |= {"recipe": config.to_dict(), "start": run.get("start")}
        return Start(weights, facts, check_labels(run.get("labels"), path.parent), network_of(config))
    if (model := state.get("model")) is not None:
        if not isinstance(model, str):
            raise _odd(path, f"the model {model!r}, which is no name")
        facts["model"] = model
    return Start(weights, facts, check_labels(state.get("labels"), path), _network(state, path))


def _epoch(state: Mapping[str, Any], path: Path) -> int | None:
    """Return the epoch that weights are of, or None where their header does not say."""
    log = state.get("log", {})
    if not isinstance(log, Mapping):
        raise _odd(path, f"the log {log!r}")
    epoch = log.get("epoch")
    if epoch is None:
        return None
    if isinstance(epoch, bool) or not isinstance(epoch, int) or not 0 <= epoch <= _MOST_EPOCHS:
        raise _odd(path, f"the epoch {epoch!r}")
    return epoch


def _network(state: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the options of the network, checked as those of a recipe are; none where there are none."""
    given = state.get("network")
    if given in (None, {}):
        return {}
    if not isinstance(given, Mapping) or "architecture" not in given:
        raise _odd(path, "a network without the name of an architecture")
    if unknown := [name for name in given if name not in ("architecture", *NETWORK_FIELDS)]:
        raise _odd(path, f"a network with the option {unknown[0]!r}, which none has")
    try:
        return network_of(TrainingConfig.from_dict(given))
    except OptionError as error:
        raise _odd(path, f"a network that there is not ({error})") from error


def _odd(path: Path, what: str) -> TrainingError:
    text = what if len(what) <= _LONGEST else f"{what[:_LONGEST]} …"
    return TrainingError(f"the header of {shown(path)} names {text}; get the file again, or export it anew")


def _twin(place: str | Path) -> Path:
    try:
        entry = registry.find(place)
    except ModelNotFoundError as error:
        raise OptionError(
            f"{str(place)!r} is neither a run of mien train nor a safetensors file, and no model: {error}"
        ) from error
    card = entry.card()
    if store.read_twin(entry, card) is None:
        raise ModelError(
            f"model {card.name!r} has no weights to fine-tune: {entry.twin_path.name} is not beside it; "
            "mien export writes it beside every model but int8 ones"
        )
    return entry.twin_path


def put_weights(
    network: nn.Module, start: Start, labels: Sequence[str] | None = None, name: str = ""
) -> tuple[str, ...]:
    """Put the weights into a network; return the names of those that stay fresh because they differ.

    Where the labels of both are known, the last layer takes what belongs to the labels that they share;
    labels of one's own start fresh. Where they are not, it is taken whole or not at all, by its shape.

    Args:
        network: takes them.
        start: the weights.
        labels: of the network, in the order of its outputs.
        name: of the network, for the message.

    Raises:
        TrainingError: fewer than half of the weights fit; they are of another network.
    """
    if start.foreign and (load := getattr(network, "load_backbone", None)) is not None:
        load(start.weights)
        return tuple(name for name in network.state_dict() if name.startswith("classifier."))
    own = network.state_dict()
    fitting = {
        name: tensor
        for name, tensor in start.weights.items()
        if name in own
        and own[name].shape == tensor.shape
        and own[name].dtype.is_floating_point == tensor.dtype.is_floating_point
    }
    fitting = {**fitting, **_shared_outputs(network, own, start, labels)}
    wanted = [name for name, tensor in own.items() if tensor.is_floating_point()]
    if len(fitting) < len(wanted) / 2:
        whose = start.network.get("architecture") or "a network that they do not name"
        raise TrainingError(
            f"the weights to start from are of {whose}, and the network is {name or type(network).__name__}: "
            f"{len(fitting)} of its {len(wanted)} tensors are among them; choose weights and network alike"
        )
    network.load_state_dict(fitting, strict=False)
    return tuple(name for name in wanted if name not in fitting)


def _shared_outputs(
    network: nn.Module, own: Mapping[str, Tensor], start: Start, labels: Sequence[str] | None
) -> dict[str, Tensor]:
    """Return the last layer's tensors with the rows of the labels that both know."""
    if start.labels is None or labels is None or tuple(labels) == start.labels:
        return {}
    names = {id(tensor): name for name, tensor in network.named_parameters()}
    last = [module for module in head_of(network).modules() if isinstance(module, nn.Linear)][-1:]
    rows = {new: start.labels.index(label) for new, label in enumerate(labels) if label in start.labels}
    found = {}
    for name in (names[id(parameter)] for layer in last for parameter in layer.parameters()):
        mixed, given = own[name].clone(), start.weights.get(name)
        if given is not None and given.shape == (len(start.labels), *mixed.shape[1:]):
            with torch.no_grad():
                for new, old in rows.items():
                    mixed[new] = given[old]
        found[name] = mixed
    return found

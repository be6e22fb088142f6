"""From a file of Keras to a network of Mien with its weights, and a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mien.core.errors import ModelError, OptionError
from mien.core.files import shown
from mien.core.version import __version__
from mien.training.architectures import create_network
from mien.training.architectures._keras import FlatNetwork
from mien.training.architectures.r2 import R2
from mien.training.cost import count_multiply_adds, count_parameters
from mien.training.keras_import.config import Structure, read_structure
from mien.training.keras_import.file import KerasFile, read_keras_file
from mien.training.keras_import.layers import CONVOLUTION, DENSE, KerasLayer
from mien.training.keras_import.options import MAX_SIDE, REFERENCES, USUAL_SIDE, ImportOptions, labels_for
from mien.training.keras_import.steps import check_steps, matching, steps_of
from mien.training.keras_import.weights import ordered, put, put_epsilons
from mien.zoo.card import Card, ModelInput

_WIDTHS = (1.0, 0.75, 0.5, 0.35, 1.3, 1.4)  # those that Keras has weights of ImageNet for

_LICENCE = "not known to Mien: that of whoever trained the weights"
_INTENDED_USE = "What its makers trained it for; Mien only brought it into another form."
_LIMITS = (
    "Imported from a file. What it was trained on and how well it reads faces is not known to Mien, unless "
    "figures stand in this card: measure it with `mien evaluate` on faces that it has not seen. Such files "
    "do not hold the order of the labels and often not the scaling of the pixels; these are as whoever "
    "imported it said, or as is usual. An expression is not an inner state. Not for decisions about people."
)


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """A network with the weights of a file, and its card.

    Attributes:
        network: in evaluation mode.
        card: without a digest, temperature or figures yet.
        version: of Keras, where the file says so.
        described: whether the file describes its layers; if not, all but weights is taken as published.
        layers: how many layers with weights were read.
        arguments: that the network was made with.
    """

    network: nn.Module
    card: Card
    version: str | None
    described: bool
    layers: int
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """What there is to go by: the file, its name in messages, its layers in order, and the options."""

    architecture: str
    file: KerasFile
    where: str
    structure: Structure | None
    layers: list[KerasLayer]
    options: ImportOptions


def rebuild(
    path: Path,
    architecture: str,
    *,
    name: str,
    labels: list[str] | None = None,
    options: ImportOptions | None = None,
) -> Rebuilt:
    """Read a model that was trained with Keras as one of the reference networks.

    Args:
        path: what `model.save` or `model.save_weights` wrote: .h5, .weights.h5 or .keras. Nothing in it is
            run.
        architecture: "r1" to "r5".
        name: of the model.
        labels: in the order of the outputs; the architecture's usual ones without it.
        options: what the file does not say.

    Raises:
        OptionError: no such architecture, or labels that do not fit.
        ModelError: the file is not one of Keras, damaged, or of another network; the layer is named.
    """
    if architecture not in REFERENCES:
        raise OptionError(f"unknown architecture {architecture!r}; choose one of {', '.join(REFERENCES)}")
    given = _given(path, architecture, options or ImportOptions())
    outputs = _outputs(given)
    side = _side(given)
    network, arguments = _network(given, outputs, side)
    chosen = labels_for(architecture, labels, outputs)
    card = _card(name, path, given, network, chosen, side, labels_given=labels is not None)
    described = given.structure is not None
    return Rebuilt(network, card, given.file.version, described, len(given.layers), arguments)


def _given(path: Path, architecture: str, options: ImportOptions) -> _Given:
    file, where = read_keras_file(path), shown(path)
    structure = None if file.config is None else read_structure(file.config, where)
    layers = list(file.layers) if structure is None else ordered(file, structure.weighted, where)
    return _Given(architecture, file, where, structure, layers, options)


def _outputs(given: _Given) -> int:
    dense = [one.weights["kernel"] for one in given.layers if one.kind == DENSE and "kernel" in one.weights]
    if not dense or dense[-1].ndim != 2:
        raise ModelError(
            f"{given.where} has no dense layer to end with, as all reference networks have; give the file "
            "of a whole model"
        )
    return int(dense[-1].shape[1])


def _network(given: _Given, outputs: int, side: int) -> tuple[nn.Module, dict[str, Any]]:
    """Return the network with the weights, after every layer was found to fit, and its arguments."""
    architecture, where, structure = given.architecture, given.where, given.structure
    arguments = _arguments(given, outputs, side)
    # First without memory: what a file claims about sizes has to agree before it is believed.
    with torch.device("meta"):
        plan = create_network(architecture, outputs, **arguments)
    if structure is not None:
        check_steps(structure.steps, steps_of(plan), architecture, where)
    put(plan, given.layers, architecture, where)
    network = create_network(architecture, outputs, **arguments)
    put(network, given.layers, architecture, where)
    put_epsilons(network, structure.weighted if structure else (), where)
    return network.eval(), arguments


def _arguments(given: _Given, outputs: int, side: int) -> dict[str, Any]:
    """Return what the network is made with."""
    if given.architecture == "r2":
        return {"origin": "keras", "input_size": None, "width": _width(given.layers)}
    arguments: dict[str, Any] = {} if given.architecture == "r1" else {"side": side}
    if given.architecture in ("r3", "r5"):
        arguments["activation_first"] = _activation_first(given, outputs)
    return arguments


def _activation_first(given: _Given, outputs: int) -> bool:
    if given.structure is None or given.options.activation != "auto":
        return given.options.activation != "after"
    agreeing = {}
    with torch.device("meta"):
        for first in (True, False):
            steps = steps_of(create_network(given.architecture, outputs, activation_first=first))
            agreeing[first] = matching(given.structure.steps, steps)
    return agreeing[True] >= agreeing[False]


def _width(layers: list[KerasLayer]) -> float:
    """Return the width of MobileNetV2 with which its convolutions have these numbers of filters."""
    found = [layer.weights["kernel"].shape[-1] for layer in layers if layer.kind == CONVOLUTION]
    for width in _WIDTHS:
        with torch.device("meta"):
            modules = create_network("r2", 2, width=width, origin="keras").modules()
        if found == [m.out_channels for m in modules if isinstance(m, nn.Conv2d) and m.groups == 1]:
            return width
    return 1.0  # the comparison of shapes says where it differs


def _side(given: _Given) -> int:
    """Return the side of the faces: of the description, of the option, or of the flattened layer."""
    sides = given.structure.sides if given.structure is not None else None
    wanted = given.options.side
    if sides is not None:
        height, width, _ = sides
        if height != width or wanted not in (0, height):
            other = f"{wanted}×{wanted}" if wanted else "square"
            raise ModelError(
                f"the model in {given.where} reads pictures of {width}×{height} pixels, not {other} ones"
            )
        return height
    return wanted or _flattened_side(given) or USUAL_SIDE.get(given.architecture, 48)


def _flattened_side(given: _Given) -> int | None:
    with torch.device("meta"):
        plan = create_network(given.architecture, 2)
    dense = next((layer for layer in given.layers if layer.kind == DENSE), None)
    if not isinstance(plan, FlatNetwork) or dense is None or "kernel" not in dense.weights:
        return None
    channels, end, _ = plan.flattened
    side = round((dense.weights["kernel"].shape[0] / channels) ** 0.5) * (plan.side // end)
    return side if 0 < side <= MAX_SIDE else None


def _card(
    name: str,
    path: Path,
    given: _Given,
    network: nn.Module,
    labels: tuple[str, ...],
    side: int,
    *,
    labels_given: bool,
) -> Card:
    colour = given.options.colour if given.architecture == "r2" else "gray"
    mean, std = _mean_and_std(given, network)
    reads = ModelInput(side, side, colour, mean=mean, std=std)
    return Card(
        name=name,
        labels=labels,
        input=reads,
        parameters=count_parameters(network),
        multiply_adds=count_multiply_adds(network, (reads.channels, side, side)),
        architecture=given.architecture,
        training=_origin(path, given, labels_given=labels_given),
        licence=_LICENCE,
        intended_use=_INTENDED_USE,
        limits=_LIMITS,
    )


def _mean_and_std(given: _Given, network: nn.Module) -> tuple[float, float]:
    """Return the card's: all that happens to a pixel before the first layer, in the file or outside."""
    structure = given.structure or Structure()
    factor, summand = given.options.outside(given.architecture, structure.scales)
    factor, summand = structure.scale * factor, structure.scale * summand + structure.offset
    if isinstance(network, R2):  # it changes what comes to it by itself: x * scale + offset
        scale, offset = float(network.scale.flatten()[0]), float(network.offset.flatten()[0])
        factor, summand = factor / scale, (summand - offset) / scale
    return _tidy(-summand / factor), _tidy(1 / factor)


def _tidy(value: float) -> float:
    """Return 0.5 for 0.49999999999999994; what a pixel is to the network changes by less than it can see."""
    return round(value, 10) + 0.0


def _origin(path: Path, given: _Given, *, labels_given: bool) -> dict[str, Any]:
    structure = given.structure
    described = "as published; not in the file" if structure is None else "as the file describes them"
    return {
        "imported_from": path.name,
        "file_sha256": given.file.sha256,
        "file_form": given.file.form,
        "keras": given.file.version,
        "labels": "as given" if labels_given else "as is usual for the architecture; not in the file",
        "layers": described,
        "pixels": given.options.describe(given.architecture, structure is not None and structure.scales),
        "mien": __version__,
    }

"""From a file of Keras to a model of Mien: the network rebuilt, exported, checked, with a card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import nn

from mien.core.errors import ModelError, OptionError
from mien.core.files import shown
from mien.core.version import __version__
from mien.datasets import FaceDataset
from mien.evaluation.predict import check_faces, logits_of, targets_in_card_order
from mien.pipeline.classify import compute_logits, to_batch
from mien.training import export as exporting
from mien.training.architectures import create_network
from mien.training.architectures._keras import FlatNetwork
from mien.training.architectures.r2 import R2
from mien.training.checkpoints import save_checkpoint
from mien.training.cost import count_multiply_adds, count_parameters
from mien.training.keras_import.config import Structure, read_structure
from mien.training.keras_import.file import KerasFile, read_keras_file
from mien.training.keras_import.layers import CONVOLUTION, DENSE, KerasLayer
from mien.training.keras_import.options import REFERENCES, USUAL_SIDE, ImportOptions, labels_for
from mien.training.keras_import.steps import check_steps, matching, steps_of
from mien.training.keras_import.weights import ordered, put, put_epsilons
from mien.zoo.card import MAX_SIDE, Card, ModelInput
from mien.zoo.registry import Model
from mien.zoo.session import OnnxSession

_WIDTHS = (1.0, 0.75, 0.5, 0.35, 1.3, 1.4)  # those that Keras has weights of ImageNet for
_FACES = 32
_FAR = 0.1  # of all faces

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
    """

    network: nn.Module
    card: Card
    version: str | None
    described: bool
    layers: int


@dataclass(frozen=True, slots=True)
class Imported:
    """The files that were written.

    Attributes:
        export: model and card, and how closely ONNX follows PyTorch.
        better_labels: an order of the labels with which far more of the given faces would be read right;
            None where there were no test faces or the order is good.
    """

    export: exporting.Export
    better_labels: tuple[str, ...] | None


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
    options = options or ImportOptions()
    file = read_keras_file(path)
    where = shown(path)
    structure = None if file.config is None else read_structure(file.config, where)
    layers = list(file.layers) if structure is None else ordered(file, structure.weighted, where)
    outputs = _outputs(layers, where)
    network = _network(architecture, outputs, layers, structure, options, where)
    chosen = labels_for(architecture, labels, outputs)
    side = _side(architecture, layers, structure, options, where)
    card = _card(name, architecture, chosen, network, side, structure or Structure(), options)
    inside = structure is not None and structure.scales
    origin = _origin(path, file, labels is not None)
    card = replace(card, training={**origin, "pixels": options.describe(architecture, inside)})
    return Rebuilt(network, card, file.version, structure is not None, len(layers))


def write(
    rebuilt: Rebuilt,
    output: Path,
    *,
    validation: FaceDataset | None = None,
    test: FaceDataset | None = None,
) -> Imported:
    """Write `<output>/<name>.onnx`, its card and its weights as `.safetensors`.

    Args:
        rebuilt: the network.
        output: folder of the model; created when missing.
        validation: faces to fit temperature and threshold on; they stay 1 and 0 without it.
        test: faces to measure on and report in the card.

    Raises:
        DatasetError: the faces do not fit the card.
        TrainingError: the exported file does not follow PyTorch.
        OutputError: a file cannot be written.
    """
    network, card = rebuilt.network, rebuilt.card
    reads = card.input
    content = exporting.to_onnx(network, (reads.channels, reads.height, reads.width))
    session = OnnxSession(content, device="cpu")
    model = Model(card.name, card, session, digest="")
    faces = _made_faces(card)
    parity = exporting.compare(_torch_logits(network, faces, card), compute_logits(model, faces))
    exporting.check_parity(parity)
    if validation is not None:
        true = targets_in_card_order(validation, card)
        check_faces(validation, card)
        logits = logits_of(model, validation.images)
        card = exporting.calibrated(card, logits, true)
    card, evaluation = exporting.measured(card, session, test)
    path = exporting.write_model(output, content, card)
    weights = {
        "architecture": card.architecture,
        "labels": list(card.labels),
        "training": dict(card.training),
    }
    save_checkpoint(path.with_suffix(".safetensors"), network.state_dict(), weights)
    better = None if evaluation is None else _better_order(evaluation.confusion, card.labels)
    return Imported(exporting.Export(path, card, parity, evaluation=evaluation), better)


def _better_order(confusion: NDArray[np.int64], labels: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the order of labels that reads most faces right, where it beats the given one by far.

    `confusion` has counts (true, predicted).
    """
    outputs, order = linear_sum_assignment(confusion.T, maximize=True)
    gain = confusion[order, outputs].sum() - np.trace(confusion)
    return tuple(labels[i] for i in order) if gain > _FAR * confusion.sum() else None


def _outputs(layers: list[KerasLayer], where: str) -> int:
    dense = [layer.weights["kernel"] for layer in layers if layer.kind == DENSE and "kernel" in layer.weights]
    if not dense or dense[-1].ndim != 2:
        raise ModelError(
            f"{where} has no dense layer to end with, as all reference networks have; choose the file of a "
            "whole model"
        )
    return int(dense[-1].shape[1])


def _network(
    architecture: str,
    labels: int,
    layers: list[KerasLayer],
    structure: Structure | None,
    options: ImportOptions,
    where: str,
) -> nn.Module:
    """Return the network with the weights of the file, after every layer was found to fit."""
    arguments = _arguments(architecture, labels, layers, structure, options, where)
    # First without memory: what a file claims about sizes has to agree before it is believed.
    with torch.device("meta"):
        plan = create_network(architecture, labels, **arguments)
    if structure is not None:
        check_steps(structure.steps, steps_of(plan), architecture, where)
    put(plan, layers, architecture, where)
    network = create_network(architecture, labels, **arguments)
    put(network, layers, architecture, where)
    put_epsilons(network, structure.weighted if structure else (), where)
    return network.eval()


def _arguments(
    architecture: str,
    labels: int,
    layers: list[KerasLayer],
    structure: Structure | None,
    options: ImportOptions,
    where: str,
) -> dict[str, Any]:
    """Return what the network is made with."""
    if architecture == "r2":
        return {"origin": "keras", "input_size": None, "width": _width(layers)}
    arguments: dict[str, Any] = {}
    if architecture != "r1":
        arguments["side"] = _side(architecture, layers, structure, options, where)
    if architecture in ("r3", "r5"):
        arguments["activation_first"] = _activation_first(architecture, labels, structure, options)
    return arguments


def _activation_first(
    architecture: str, labels: int, structure: Structure | None, options: ImportOptions
) -> bool:
    if structure is None or options.activation != "auto":
        return options.activation != "after"
    agreeing = {}
    with torch.device("meta"):
        for first in (True, False):
            steps = steps_of(create_network(architecture, labels, activation_first=first))
            agreeing[first] = matching(structure.steps, steps)
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


def _side(
    architecture: str,
    layers: list[KerasLayer],
    structure: Structure | None,
    options: ImportOptions,
    where: str,
) -> int:
    """Return the side of the faces: of the description, of the option, or of the flattened layer."""
    sides = structure.sides if structure is not None else None
    if sides is not None:
        height, width, _ = sides
        if height != width or options.side not in (0, height):
            wanted = f"{options.side}×{options.side}" if options.side else "square"
            raise ModelError(
                f"the model in {where} reads pictures of {width}×{height} pixels, not {wanted} ones"
            )
        return height
    return options.side or _flattened_side(architecture, layers) or USUAL_SIDE.get(architecture, 48)


def _flattened_side(architecture: str, layers: list[KerasLayer]) -> int | None:
    with torch.device("meta"):
        plan = create_network(architecture, 2)
    dense = next((layer for layer in layers if layer.kind == DENSE), None)
    if not isinstance(plan, FlatNetwork) or dense is None or "kernel" not in dense.weights:
        return None
    channels, end, _ = plan.flattened
    side = round((dense.weights["kernel"].shape[0] / channels) ** 0.5) * (plan.side // end)
    return side if 0 < side <= MAX_SIDE else None


def _card(
    name: str,
    architecture: str,
    labels: tuple[str, ...],
    network: nn.Module,
    side: int,
    structure: Structure,
    options: ImportOptions,
) -> Card:
    factor, summand = options.outside(architecture, structure.scales)
    factor, summand = structure.scale * factor, structure.scale * summand + structure.offset
    if architecture == "r2":  # it changes what comes to it by itself: x * scale + offset
        assert isinstance(network, R2)
        scale, offset = float(network.scale.flatten()[0]), float(network.offset.flatten()[0])
        factor, summand = factor / scale, (summand - offset) / scale
    colour = options.colour if architecture == "r2" else "gray"
    reads = ModelInput(side, side, colour, mean=_tidy(-summand / factor), std=_tidy(1 / factor))
    return Card(
        name=name,
        labels=labels,
        input=reads,
        parameters=count_parameters(network),
        multiply_adds=count_multiply_adds(network, (reads.channels, side, side)),
        architecture=architecture,
        licence=_LICENCE,
        intended_use=_INTENDED_USE,
        limits=_LIMITS,
    )


def _tidy(value: float) -> float:
    """Return 0.5 for 0.49999999999999994; what a pixel is to the network changes by less than it can see."""
    return round(value, 10) + 0.0


def _origin(path: Path, file: KerasFile, labels_given: bool) -> dict[str, Any]:
    return {
        "imported_from": path.name,
        "file_sha256": file.sha256,
        "file_form": file.form,
        "keras": file.version,
        "labels": "as given" if labels_given else "as is usual for the architecture; not in the file",
        "layers": "as the file describes them"
        if file.config is not None
        else "as published; not in the file",
        "mien": __version__,
    }


@torch.no_grad()
def _torch_logits(network: nn.Module, faces: NDArray[np.uint8], card: Card) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = network(torch.from_numpy(to_batch(faces, card))).double().numpy()
    return logits


def _made_faces(card: Card) -> NDArray[np.uint8]:
    """Return noise of every contrast: no face, but each pixel says something to every layer."""
    generator = np.random.default_rng(0)
    reads = card.input
    shape = (_FACES, reads.height, reads.width) + ((3,) if reads.channels == 3 else ())
    noise = generator.normal(size=shape)
    contrast = np.geomspace(2, 80, _FACES).reshape(-1, *[1] * (len(shape) - 1))
    return np.asarray(np.clip(128 + contrast * noise, 0, 255), np.uint8)

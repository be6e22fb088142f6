"""An imported network as a model of Mien: ONNX, card and weights to fine-tune."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import nn

from mien.datasets import FaceDataset
from mien.evaluation import Evaluation, calibration
from mien.evaluation.predict import check_faces, logits_of, targets_in_card_order
from mien.pipeline.classify import compute_logits, to_batch
from mien.training import export as exporting
from mien.training.keras_import.rebuild import Rebuilt
from mien.training.keras_import.twin import twin_of
from mien.zoo.card import Card
from mien.zoo.registry import Model
from mien.zoo.session import OnnxSession

_FACES = 32
_FAR = 0.1  # of all faces


@dataclass(frozen=True, slots=True)
class BetterOrder:
    """An order of the labels with which far more faces are read right, found on half of the test faces.

    Attributes:
        labels: in that order.
        faces: how many the other half has, on which both accuracies are measured.
        accuracy: with that order.
        given: with the order that the card has.
    """

    labels: tuple[str, ...]
    faces: int
    accuracy: float
    given: float


@dataclass(frozen=True, slots=True)
class Imported:
    """The files that were written.

    Attributes:
        export: model and card, and how closely ONNX follows PyTorch.
        better: an order of the labels with which far more of the test faces would be read right; None where
            there were no test faces or the order is good.
    """

    export: exporting.Export
    better: BetterOrder | None


def write(
    rebuilt: Rebuilt,
    output: Path,
    *,
    validation: FaceDataset | None = None,
    test: FaceDataset | None = None,
) -> Imported:
    """Write `<output>/<name>.onnx`, its card `.json`, and `.safetensors` for `mien train --from`.

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
        card = calibration.calibrated(card, logits, true)
    card, evaluation = exporting.measured(card, session, test)
    path = exporting.write_model(output, content, card, twin_of(network, card, rebuilt.arguments))
    card = Card.read(path.with_suffix(".json"))
    better = None if evaluation is None else _better_order(evaluation)
    return Imported(exporting.Export(path, card, parity, evaluation=evaluation), better)


def _better_order(evaluation: Evaluation) -> BetterOrder | None:
    """Return the order of labels that reads most faces right, where it beats the given one by far.

    It is chosen on half of the faces, drawn at random, and measured on the others: what is chosen on the
    faces that it is measured on looks better than it is.
    """
    true, predicted = evaluation.true, evaluation.predicted
    drawn = np.random.default_rng(0).permutation(len(true))
    half, others = drawn[: len(true) // 2], drawn[len(true) // 2 :]
    counts = np.zeros((len(evaluation.labels), len(evaluation.labels)), np.int64)
    np.add.at(counts, (predicted[half], true[half]), 1)
    _, order = linear_sum_assignment(counts, maximize=True)
    given = float((predicted[others] == true[others]).mean())
    accuracy = float((order[predicted[others]] == true[others]).mean())
    if accuracy - given <= _FAR:
        return None
    return BetterOrder(tuple(evaluation.labels[i] for i in order), len(others), accuracy, given)


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

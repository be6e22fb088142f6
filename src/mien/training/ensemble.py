"""Several models as one: an ONNX file that holds them all and averages what they say.

Needs the package onnx, but not torch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.core.errors import ModelError, OptionError
from mien.core.files import shown
from mien.core.version import __version__
from mien.datasets import FaceDataset
from mien.evaluation import Evaluation, calibration, evaluate
from mien.evaluation.evaluate import reported
from mien.evaluation.predict import check_faces, logits_of, targets_in_card_order
from mien.pipeline.align import card_template
from mien.pipeline.classify import softmax, to_batch
from mien.training._merge import Member, alone, merge
from mien.training._model_file import write_onnx
from mien.zoo import registry
from mien.zoo.card import Card
from mien.zoo.registry import Model
from mien.zoo.session import OnnxSession, is_ort, read_weights

PARITY_LIMIT = 1e-4
_ROUNDED_LIMIT = 0.02  # where a member computes in 8 bits
_FACES = 64
_ORIGIN = (
    "ensemble",
    "data",
    "data_digest",
    "faces",
    "validation_faces",
    "votes",
)  # the digest leads to the rest


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """What was written and seen.

    Attributes:
        path: of the ONNX file; its card is beside it.
        card: with the SHA-256 of the file.
        members: that are averaged.
        largest_difference: between its probabilities and the average of the members' own.
        evaluation: on the test faces, or None without any.
        accuracies: of each member on the test faces, in their order; empty without any.
    """

    path: Path
    card: Card
    members: tuple[Member, ...]
    largest_difference: float
    evaluation: Evaluation | None = None
    accuracies: tuple[float, ...] = ()


def ensemble(
    models: Sequence[str | os.PathLike[str]],
    output: Path,
    *,
    weights: Sequence[float] | None = None,
    name: str | None = None,
    validation: FaceDataset | None = None,
    test: FaceDataset | None = None,
) -> Ensemble:
    """Write one ONNX file that gives the mean of the probabilities of several models, and its card.

    Each member's probabilities are the softmax of its logits over the temperature of its card. The file's
    logits are the logarithm of their weighted mean, so that a temperature of 1 gives the mean itself.

    Args:
        models: two or more names or paths of ONNX files, with the same labels in any order. What they read
            may differ in size, colour, mean and std: the file brings faces to each. It reads colour where one
            of them does, and the largest of their sizes.
        output: the ONNX file; its folder is made where missing.
        weights: of each model, above 0; equal without them.
        name: of the ensemble; that of the file without it.
        validation: faces that no member was trained on: they fit a temperature and the threshold. Without
            them the temperature is 1 and the threshold the weighted mean of the members'.
        test: faces to report in the card; nothing is chosen on them.

    Raises:
        OptionError: fewer than two models, one twice, or weights that do not fit.
        ModelError: the models cannot be averaged or put into one file.
        DatasetError: the faces do not fit what the ensemble reads.
        OutputError: a file cannot be written.
    """
    if output.suffix != ".onnx":
        raise OptionError(f"an ensemble is written to a file that ends in .onnx, not {shown(output)}")
    members = _members(models, weights)
    if any(registry.find(model).path.resolve() == output.resolve() for model in models):
        raise OptionError(f"{shown(output)} is one of the models; give the ensemble another name")
    card = _card(name or output.stem, members)
    for faces in filter(None, (validation, test)):
        check_faces(faces, card)
        targets_in_card_order(faces, card)
    content = merge(card, members)
    session = OnnxSession(content, device="cpu")
    difference = _difference(card, session, members)
    limit = PARITY_LIMIT if all(m.model.card.precision == "fp32" for m in members) else _ROUNDED_LIMIT
    if not difference <= limit:
        raise ModelError(
            f"the file gives probabilities that differ by {difference:.2g} from the average of the models; "
            f"more than {limit:g} is refused"
        )
    model = Model(card.name, card, session, digest="")
    if validation is not None:
        logits = logits_of(model, validation.images)
        card = calibration.calibrated(card, logits, targets_in_card_order(validation, card))
    evaluation, accuracies = None, tuple[float, ...]()
    if test is not None:
        evaluation = evaluate(replace(model, card=card), test)
        card = reported(card, evaluation)
        accuracies = tuple(_accuracy(card, member, test, evaluation) for member in members)
    return Ensemble(output, write_onnx(output, content, card), members, difference, evaluation, accuracies)


def _members(models: Sequence[str | os.PathLike[str]], weights: Sequence[float] | None) -> tuple[Member, ...]:
    if len(models) < 2:
        raise OptionError("an ensemble needs two models or more")
    shares = [1.0] * len(models) if weights is None else [float(weight) for weight in weights]
    if len(shares) != len(models):
        raise OptionError(f"{len(shares)} weights were given for {len(models)} models; give one each")
    if not all(0 < share < float("inf") for share in shares):
        raise OptionError(f"weights have to be numbers above 0, not {', '.join(f'{s:g}' for s in shares)}")
    members = []
    for name, share in zip(models, shares, strict=True):
        entry = registry.find(name)
        loaded = registry.open_entry(entry, device="cpu")
        content = read_weights(entry.path)
        if is_ort(content):
            raise ModelError(f"{shown(entry.path)} is in ORT format; give the ONNX file it was made from")
        members.append(Member(loaded, content, share / sum(shares)))
    digests = [member.model.digest for member in members]
    if len(set(digests)) < len(digests):
        twice = next(m.model.name for m in members if digests.count(m.model.digest) > 1)
        raise OptionError(f"model {twice!r} was given twice; give it a larger weight instead")
    _check_labels(members)
    return tuple(members)


def _check_labels(members: Sequence[Member]) -> None:
    first = members[0].model
    for member in members[1:]:
        one, other = set(first.card.labels), set(member.model.card.labels)
        if one != other:
            only = [
                f"only {m.name!r} knows {', '.join(sorted(known))}"
                for m, known in ((first, one - other), (member.model, other - one))
                if known
            ]
            raise ModelError(f"models with different labels cannot be averaged: {'; '.join(only)}")


def _card(name: str, members: Sequence[Member]) -> Card:
    cards = [member.model.card for member in members]
    largest = max(cards, key=lambda card: card.input.width * card.input.height)
    _check_templates(largest, members)
    colour = next((card.input for card in cards if card.input.colour == "rgb"), largest.input)
    reads = replace(largest.input, colour=colour.colour)
    counted = [card.parameters for card in cards], [card.multiply_adds for card in cards]
    parameters, multiply_adds = (
        None if None in numbers else sum(filter(None, numbers)) for numbers in counted
    )
    threshold = sum(member.weight * member.model.card.threshold for member in members)

    def texts(field: str) -> str:
        return "\n".join(dict.fromkeys(text for card in cards if (text := getattr(card, field))))

    return Card(
        name=name,
        labels=cards[0].labels,
        input=reads,
        template=largest.template,
        threshold=round(threshold, 4),
        parameters=parameters,
        multiply_adds=multiply_adds,
        precision="int8" if all(card.precision == "int8" for card in cards) else "fp32",
        architecture=f"ensemble of {', '.join(member.model.name for member in members)}",
        training={"ensemble": [_origin(member) for member in members], "mien": __version__},
        licence=texts("licence"),
        intended_use=texts("intended_use"),
        limits=texts("limits"),
    )


def _origin(member: Member) -> dict[str, Any]:
    card = member.model.card
    return {
        "name": member.model.name,
        "sha256": member.model.digest,
        "weight": round(member.weight, 6),
        "temperature": card.temperature,
        "architecture": card.architecture,
        "precision": card.precision,
        "training": {key: card.training[key] for key in _ORIGIN if key in card.training},
    }


def _check_templates(largest: Card, members: Sequence[Member]) -> None:
    """Faces are cut out once, for all members: they have to lie at the same place of the crop."""
    sides = np.array([largest.input.width, largest.input.height])
    wanted = (card_template(largest) + 0.5) / sides
    for member in members:
        card = member.model.card
        place = (card_template(card) + 0.5) / (card.input.width, card.input.height)
        if np.abs(place - wanted).max() > 0.5 / sides.max():
            raise ModelError(
                f"models {largest.name!r} and {member.model.name!r} read faces that are cut out differently "
                "(the template of their cards); such models cannot be averaged"
            )


def _difference(card: Card, session: OnnxSession, members: Sequence[Member]) -> float:
    """Return the largest difference between the file's probabilities and the average, on random faces."""
    reads = card.input
    shape = (_FACES, reads.height, reads.width) + ((3,) if reads.colour == "rgb" else ())
    faces = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    batch = to_batch(faces, card)
    mean = sum(member.weight * alone(card, member, batch) for member in members)
    return float(np.abs(softmax(session.run(batch).astype(np.float64), 1.0) - mean).max())


def _accuracy(card: Card, member: Member, test: FaceDataset, evaluation: Evaluation) -> float:
    """Return a member's own accuracy on the test faces, brought to what it reads as the ensemble does."""
    images = test.images if card.input.colour == "gray" else test.images[..., np.newaxis].repeat(3, -1)
    right = [
        alone(card, member, to_batch(images[i : i + _FACES], card)).argmax(1)
        == evaluation.true[i : i + _FACES]
        for i in range(0, len(images), _FACES)
    ]
    return float(np.concatenate(right).mean())

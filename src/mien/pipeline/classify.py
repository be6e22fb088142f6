"""From crops to calibrated probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import CardError, ModelError
from mien.zoo.card import Card
from mien.zoo.registry import Model

# Bounds the memory of a call: a network's widest layer holds about half a megabyte a face.
MOST_FACES_A_CALL = 256


def classify(model: Model, crops: NDArray[np.uint8], *, tta: bool = False) -> NDArray[np.float64]:
    """Return the probability of every label for every crop.

    All crops go through the network in one call (in calls of 256, should there be more). No crop, no call.

    Args:
        model: the classifier.
        crops: uint8 (faces, H, W) grey or (faces, H, W, 3) RGB, as the card's input says.
        tta: read the mirror images too, and return the mean of both (test-time augmentation): a face and
            its mirror image then read alike.

    Returns:
        float64 (faces, labels), rows summing to 1: the softmax of the logits over the card's temperature.

    Raises:
        CardError: the network gives another number of values than the card has labels.
        ModelError: the network gives values that are not finite.
    """
    if not len(crops):
        return np.empty((0, len(model.card.labels)), np.float64)
    probabilities = softmax(compute_logits(model, crops), model.card.temperature)
    return (probabilities + classify(model, mirrored(crops))) / 2 if tta else probabilities


def mirrored(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return mirror images, left and right exchanged, of crops as `classify` takes them."""
    return crops[:, :, ::-1]


def compute_logits(model: Model, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what the network says before temperature and softmax, float64 (faces, labels).

    Takes one crop or more and raises as `classify` does.
    """
    labels = model.card.labels
    batch = to_batch(crops, model.card)
    parts = [
        model.session.run(batch[i : i + MOST_FACES_A_CALL]) for i in range(0, len(batch), MOST_FACES_A_CALL)
    ]
    logits = np.concatenate(parts).astype(np.float64)
    if logits.shape != (len(crops), len(labels)):
        raise CardError(
            f"model {model.name!r} gives {logits.shape[-1]} values a face, its card has {len(labels)} labels"
        )
    if not np.isfinite(logits).all():
        raise ModelError(f"model {model.name!r} gives values that are not finite; its weights are damaged")
    return logits


def to_batch(crops: NDArray[np.uint8], card: Card) -> NDArray[np.float32]:
    """Return crops as the network reads them: float32 (faces, channels, H, W), normalised by the card."""
    planes = crops[:, np.newaxis] if crops.ndim == 3 else crops.transpose(0, 3, 1, 2)
    scale = np.float32(1 / (255 * card.input.std))
    shift = np.float32(card.input.mean / card.input.std)
    return np.ascontiguousarray(planes, np.float32) * scale - shift


def softmax(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return the softmax of `logits` / `temperature` along the last axis, without overflow."""
    powers = np.asarray(logits - logits.max(axis=-1, keepdims=True), np.float64)
    powers /= temperature
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers

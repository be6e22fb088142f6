"""Targets and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor

from mien.datasets import FaceDataset
from mien.training.config import TrainingConfig

_LEAST_DOUBT = 1e-7  # about the step of float32 below 1


def soft_targets(data: FaceDataset, vote_weight: float, label_smoothing: float) -> NDArray[np.float32]:
    """Return float32 (faces, labels), rows summing to 1: the label, mixed with votes and with any label.

    A face without votes keeps its label alone (soft labels from votes: Barsoum et al., ICMI 2016).
    """
    one_hot = np.eye(len(data.labels), dtype=np.float32)[data.targets]
    targets: NDArray[Any] = one_hot
    if data.votes is not None and vote_weight:
        total = data.votes.sum(1, keepdims=True)
        crowd = np.where(total > 0, data.votes / np.maximum(total, 1), one_hot)
        targets = (1 - vote_weight) * one_hot + vote_weight * crowd
    smoothed = (1 - label_smoothing) * targets + label_smoothing / len(data.labels)
    return smoothed.astype(np.float32)


def label_weights(targets: NDArray[np.int64], labels: Sequence[str]) -> NDArray[np.float32]:
    """Return a weight for every label, inverse to its share of the faces; the mean over the faces is 1."""
    counts = np.maximum(np.bincount(targets, minlength=len(labels)), 1)
    return (len(targets) / (len(labels) * counts)).astype(np.float32)


def label_priors(
    targets: NDArray[np.int64], labels: Sequence[str], strength: float
) -> NDArray[np.float32] | None:
    """Return what is added to the logits while training: `strength` times the logarithm of the shares.

    The network then need not learn which labels are common, and says at use what it sees in the face alone
    (logit adjustment, Menon et al., ICLR 2021). None for a strength of 0.
    """
    if not strength:
        return None
    counts = np.maximum(np.bincount(targets, minlength=len(labels)), 1)
    return np.asarray(strength * np.log(counts / counts.sum()), np.float32)


def distil_loss(logits: Tensor, teachers: Tensor, temperature: float) -> Tensor:
    """Return how far a batch is from what its teachers say (Hinton et al., 2015).

    The divergence from the teachers' probabilities to the student's, both at one temperature, times its
    square, so that gradients keep their size at any temperature.

    Args:
        logits: of the student, (faces, labels).
        teachers: probabilities at the temperature, float32 (faces, labels), rows summing to 1.
        temperature: above 0.
    """
    student = F.log_softmax(logits.float() / temperature, 1)
    return F.kl_div(student, teachers, reduction="batchmean") * temperature**2


def soft_loss(
    logits: Tensor,
    targets: Tensor,
    config: TrainingConfig,
    weights: Tensor | None,
    priors: Tensor | None = None,
) -> Tensor:
    """Return the mean loss of a batch.

    Args:
        logits: (faces, labels).
        targets: float32 (faces, labels), rows summing to 1.
        config: names the loss: cross-entropy, or the focal loss (Lin et al., ICCV 2017) with its gamma.
        weights: of the labels, float32 (labels,), or None.
        priors: of `label_priors`, float32 (labels,), or None.
    """
    log_probabilities = F.log_softmax(logits.float() if priors is None else logits.float() + priors, 1)
    parts = -targets * log_probabilities
    if config.loss == "focal":
        # A power below 1 has no slope at 0, which a face that is read for certain would turn into NaN.
        doubt = (1 - log_probabilities.exp()).clamp_min(_LEAST_DOUBT)
        parts = parts * doubt**config.focal_gamma
    if weights is not None:
        parts = parts * weights
    return parts.sum(1).mean()

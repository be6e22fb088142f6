"""Targets and the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor

from mien.datasets import FaceDataset


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


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits (faces, labels) against target probabilities of that shape."""
    return -(targets * F.log_softmax(logits.float(), 1)).sum(1).mean()

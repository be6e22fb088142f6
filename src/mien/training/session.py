"""A network in training run as a model is: what is measured and read with it before it is exported."""

from __future__ import annotations

import threading

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class TorchSession:
    """A session (`mien.zoo.session.Session`) of a PyTorch network, on the processor."""

    def __init__(self, network: nn.Module, shape: tuple[int, int, int], labels: int) -> None:
        self._network = network.cpu().eval()
        self._shape, self._labels = shape, labels
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int | None, int | None, int | None]:
        """Channels, height and width of one face."""
        return self._shape

    @property
    def output_size(self) -> int | None:
        """How many labels there are."""
        return self._labels

    @torch.no_grad()
    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, labels), of a batch, float32 (N, channels, height, width)."""
        with self._lock:
            logits = self._network(torch.from_numpy(np.ascontiguousarray(batch)))
        return np.asarray(logits.float().numpy(), np.float32)

"""A network and faces so small that an epoch takes no time, for tests that train many runs."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from mien.datasets import FaceDataset
from mien.training.config import TrainingConfig


class Small(nn.Module):
    """One layer on the brightness of sixteen places."""

    any_side = True

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, labels))

    def forward(self, faces: Tensor) -> Tensor:
        return self.layers(faces)  # type: ignore[no-any-return]


class Normed(nn.Sequential):
    """A convolution with batch norm, which makes it matter who shares a batch; no dropout."""

    any_side = True

    def __init__(self, labels: int) -> None:
        place = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, labels)]
        super().__init__(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), *place)


RECIPE = TrainingConfig(
    architecture="small_faces:Small",
    epochs=3,
    batch_size=8,
    warmup_epochs=0,
    learning_rate=0.3,
    average=0.0,
    validation=0.2,
    vote_weight=0.0,
    bf16=False,
)


def small_faces(count: int = 60) -> FaceDataset:
    """Happy is bright below, sad bright above; every tenth is plain noise, so that nothing is perfect."""
    generator = np.random.default_rng(3)
    targets = np.arange(count) % 2
    pictures = generator.integers(0, 120, (count, 16, 16))
    clear = np.arange(count) % 10 > 1
    pictures[clear & (targets == 0), 8:] += 40
    pictures[clear & (targets == 1), :8] += 40
    names = tuple(f"{number}.png" for number in range(count))
    return FaceDataset(pictures.astype(np.uint8), targets, ("happy", "sad"), names, source="made")


class Deaf(Small):
    """It says the same of every face, whatever it is taught."""

    def forward(self, faces: Tensor) -> Tensor:
        return self.layers(faces) * 0


class Broken(Small):
    """Its answers are no numbers."""

    def forward(self, faces: Tensor) -> Tensor:
        return self.layers(faces) * float("nan")

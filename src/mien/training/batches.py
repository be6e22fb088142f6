"""The training faces of each epoch: order, random changes, blends.

All of it follows from the seed, the epoch's number and the process, so nothing has to be stored to go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.core.errors import TrainingError
from mien.training.augment import augment, calmed, cut_mix, mix
from mien.training.config import TrainingConfig
from mien.training.losses import soft_targets
from mien.training.split import Split

MEAN, STD = 0.5, 0.25


def to_units(images: NDArray[np.uint8] | Tensor) -> Tensor:
    """Return grey faces (faces, height, width) as float32 (faces, 1, height, width) in [0, 1]."""
    pixels = torch.from_numpy(images) if isinstance(images, np.ndarray) else images
    return pixels.unsqueeze(1).float() / 255


def normalise(images: Tensor) -> Tensor:
    """Return images in [0, 1] as the networks read them; the card states the same mean and deviation."""
    return (images - MEAN) / STD


class Part(NamedTuple):
    """What a process computes at once.

    Attributes:
        images: float32 (faces, 1, height, width), in [0, 1].
        targets: float32 (faces, labels), rows summing to 1.
        faces: which ones they are, int64 (faces,); of a blend, the face that it began with.
    """

    images: Tensor
    targets: Tensor
    faces: NDArray[np.int64]


class Batches:
    """The steps of every epoch.

    A batch is cut into parts of equal size, or nearly: one for each process, and in each of them as many as
    the configuration accumulates. The faces of a batch are the same ones however it is cut.

    Args:
        split: the data.
        config: the recipe.
        rank: number of this process.
        processes: how many there are.
        device: where faces are changed and blended; on a GPU all pixels lie there.
        groups: of every face of the data, int64 (faces,): only faces of one group are blended.
    """

    def __init__(
        self,
        split: Split,
        config: TrainingConfig,
        rank: int = 0,
        processes: int = 1,
        *,
        device: torch.device | None = None,
        groups: NDArray[np.int64] | None = None,
    ) -> None:
        self._device = torch.device("cpu") if device is None else device
        self._train, self._groups = split.train, groups
        on_cpu = self._device.type == "cpu"
        # On the processor they stay where they are, which may be a file that is mapped.
        self._images = split.data.images if on_cpu else torch.tensor(split.data.images, device=self._device)
        self._labels = split.data.targets[split.train]
        targets = soft_targets(split.data, config.vote_weight, config.label_smoothing)
        self._targets = torch.from_numpy(targets).to(self._device)
        self._config, self._rank, self._processes = config, rank, processes
        self.steps = len(self._train) // config.batch_size
        if not self.steps:
            raise TrainingError(
                f"{len(self._train)} faces are less than one batch of {config.batch_size}; take a smaller "
                "batch_size (--batch-size), or more faces"
            )
        if config.batch_size < 2 * processes * config.accumulate:
            raise TrainingError(
                f"a batch of {config.batch_size} faces cannot be cut into {processes * config.accumulate} "
                "parts of two or more; take a larger batch, or fewer parts or processes"
            )

    def seed(self, epoch: int) -> int:
        """Return the seed of what this process draws for itself in an epoch."""
        return (self._shared_seed(epoch) + 100_000_007 * self._rank) & 0x7FFFFFFF

    def _shared_seed(self, epoch: int) -> int:
        return (self._config.seed * 1_000_003 + epoch) & 0x7FFFFFFF

    def epoch(self, number: int) -> Iterator[list[Part]]:
        """Yield the steps of an epoch: this process's parts of each batch."""
        config = self._config
        # Every process has a generator of its own, which draw alike: all agree on order and kind of blend.
        rng = np.random.default_rng(self._shared_seed(number))
        generator = torch.Generator(self._device).manual_seed(self.seed(number))
        order = self._train[self._order(rng)]
        config, size = calmed(config, number), self._size(number)
        mine = slice(self._rank * config.accumulate, (self._rank + 1) * config.accumulate)
        for step in range(self.steps):
            batch = order[step * config.batch_size : (step + 1) * config.batch_size]
            parts = np.array_split(batch, self._processes * config.accumulate)[mine]
            yield [self._part(chosen, config, size, rng, generator) for chosen in parts]

    def _size(self, epoch: int) -> int:
        """Return the side of the crops: small ones first, which costs less and is a change of its own."""
        config, full = self._config, int(self._images.shape[-1])
        return min(config.small_size, full) if epoch < config.small_fraction * config.epochs else full

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The faces of an epoch: each once, or drawn so that every label comes equally often."""
        if self._config.sampling == "shuffle":
            return rng.permutation(len(self._train))
        share = 1 / np.bincount(self._labels)[self._labels]
        return rng.choice(len(self._train), len(self._train), p=share / share.sum())

    def _part(
        self,
        chosen: NDArray[np.int64],
        config: TrainingConfig,
        size: int,
        rng: np.random.Generator,
        generator: torch.Generator,
    ) -> Part:
        at = torch.from_numpy(chosen).to(self._device)
        pixels = self._images[chosen] if isinstance(self._images, np.ndarray) else self._images[at]
        images = augment(to_units(pixels), config, size, generator)
        targets, draw = self._targets[at], rng.random()
        if draw < config.mixup + config.cutmix:
            partners = self._partners(chosen, generator)
            if draw < config.mixup:
                kept = rng.beta(config.mixup_alpha, config.mixup_alpha)
                images, targets = mix(images, targets, kept, partners)
            else:
                images, targets = cut_mix(images, targets, rng.random(), partners, generator)
        return Part(images, targets, chosen)

    def _partners(self, chosen: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Return whom each face is blended with: all in a random order, or those of its group."""
        order = torch.randperm(len(chosen), generator=generator, device=self._device)
        if self._groups is None:
            return order
        groups = torch.from_numpy(self._groups[chosen]).to(self._device)
        drawn = order[torch.argsort(groups[order], stable=True)]
        partners = torch.empty_like(order)
        partners[torch.argsort(groups, stable=True)] = drawn
        return partners

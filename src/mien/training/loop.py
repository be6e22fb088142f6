"""The training loop: reads from top to bottom, resumes exactly.

A run is a folder, see `run_folder`: `last.safetensors` holds everything needed to go on, and
`best.safetensors` the averaged weights of the best epoch. All randomness of an epoch follows from the
seed and the epoch's number, so a run that is killed and resumed ends with the same bits.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mien.core.errors import TrainingError
from mien.core.version import __version__
from mien.datasets import FaceDataset, stratified_split
from mien.training import run_folder
from mien.training.architectures import create_network
from mien.training.augment import augment, cut_mix, mix
from mien.training.checkpoints import grouped, load_checkpoint, prefixed, save_checkpoint
from mien.training.config import TrainingConfig
from mien.training.cost import summarise
from mien.training.device import autocast, choose_device
from mien.training.events import EventLog
from mien.training.losses import label_weights, soft_loss, soft_targets
from mien.training.optimizers import create_optimizer, optimizer_state, restore_optimizer, set_rate
from mien.training.run_folder import BEST, EVENTS, LAST
from mien.training.schedules import EpochLog, is_best, learning_rate, patience_ended
from mien.training.start import Start, put_weights

MEAN, STD = 0.5, 0.25
_EVALUATION_BATCH = 256


@dataclass(frozen=True, slots=True)
class Split:
    """The data of a run: the part trained on and the part kept apart to choose with."""

    train: FaceDataset
    validation: FaceDataset


def split_data(data: FaceDataset, config: TrainingConfig) -> Split:
    """Split a run's data as its configuration says; the same every time."""
    return Split(*stratified_split(data, config.validation, config.seed))


def normalise(images: Tensor) -> Tensor:
    """Return images in [0, 1] as the networks read them; the card states the same mean and deviation."""
    return (images - MEAN) / STD


def train(
    data: FaceDataset,
    folder: Path,
    config: TrainingConfig,
    on_epoch: Callable[[EpochLog], None] = lambda log: None,
    on_step: Callable[[int, int, int], None] = lambda epoch, step, steps: None,
    start: Start | None = None,
) -> list[EpochLog]:
    """Train until the last epoch or until patience ends; go on where the folder's last checkpoint stands.

    Args:
        data: faces to train on and to validate on.
        folder: the run; created when missing.
        config: the recipe; a folder that holds another one is refused.
        on_epoch: called after each epoch.
        on_step: called after each step with the epoch, the step's number and their count.
        start: weights to fine-tune; fresh ones without it.

    Returns:
        The log of every epoch, those before a resume included.

    Raises:
        TrainingError: the loss is not finite, or the folder holds another run.
    """
    split = split_data(data, config)
    torch.manual_seed(config.seed)
    network = create_network(config.architecture, len(data.labels))
    if start is not None:
        put_weights(network, start)
    shape = (1, *data.images.shape[1:])
    run_folder.open_run(folder, config, _facts(split, start), summarise(network, shape))
    run = _Run(network, split, folder, config)
    with EventLog(folder / EVENTS, run.epoch) as events:
        while not run.finished:
            started = time.monotonic()
            loss, accuracy = run.train_epoch(on_step)
            log = run.close_epoch(loss, accuracy, started)
            events.add(log, run.network)
            on_epoch(log)
    return run.logs


def _facts(split: Split, start: Start | None) -> dict[str, Any]:
    """What a run was made with, beside its configuration."""
    return {
        "mien": __version__,
        "torch": torch.__version__,
        "labels": list(split.train.labels),
        "votes": split.train.votes is not None,
        "faces": len(split.train),
        "validation_faces": len(split.validation),
        "data": split.train.source,
        "data_digest": split.train.digest(),
        "threads": torch.get_num_threads(),
        "device": str(choose_device()),
        "start": None if start is None else start.facts,
    }


class _Run:
    """Network, optimiser, averaged weights and log of a run, on disk after every epoch."""

    def __init__(self, network: nn.Module, split: Split, folder: Path, config: TrainingConfig) -> None:
        self.network, self.config, self.folder = network, config, folder
        self.device = choose_device()
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.clone() for k, v in self.network.state_dict().items() if v.is_floating_point()}
        self.optimizer = create_optimizer(self.network, config)
        self.images = torch.from_numpy(split.train.images)
        self.labels = split.train.targets
        targets = soft_targets(split.train, config.vote_weight, config.label_smoothing)
        self.targets = torch.from_numpy(targets)
        weights = torch.from_numpy(label_weights(split.train)).to(self.device)
        self.label_weights = weights if config.class_weights else None
        self.validation_images = torch.from_numpy(split.validation.images)
        self.validation_targets = torch.from_numpy(split.validation.targets)
        self.steps = len(self.images) // config.batch_size
        if not self.steps:
            raise TrainingError(f"{len(self.images)} faces are less than one batch of {config.batch_size}")
        self.epoch = self.updates = 0
        self.logs: list[EpochLog] = []
        if (folder / LAST).exists():
            self._resume()

    @property
    def finished(self) -> bool:
        return self.epoch >= self.config.epochs or patience_ended(self.config, self.logs)

    def train_epoch(self, on_step: Callable[[int, int, int], None]) -> tuple[float, float]:
        """Make one pass over the training faces; return its mean loss and accuracy."""
        config = self.config
        seed = (config.seed * 1_000_003 + self.epoch) & 0x7FFFFFFF
        torch.manual_seed(seed)  # dropout
        generator = torch.Generator().manual_seed(seed)
        dice = np.random.default_rng(seed)
        order = torch.from_numpy(self._order(dice))
        full = self.images.shape[-1]
        size = min(config.small_size, full) if self.epoch < config.small_fraction * config.epochs else full
        self.network.train()
        loss = right = 0.0
        for step in range(self.steps):
            chosen = order[step * config.batch_size : (step + 1) * config.batch_size]
            images = self.images[chosen].unsqueeze(1).float() / 255
            images = augment(images, config, size, generator)
            images, targets = self._blend(images, self.targets[chosen], dice, generator)
            step_loss, step_right = self._step(images, targets, self.epoch + step / self.steps)
            loss, right = loss + step_loss, right + step_right
            on_step(self.epoch, step + 1, self.steps)
        self.epoch += 1
        return loss / self.steps, right / self.steps

    def _order(self, dice: np.random.Generator) -> np.ndarray:
        """The faces of an epoch: each once, or drawn so that every label comes equally often."""
        if self.config.sampling == "shuffle":
            return dice.permutation(len(self.images))
        share = 1 / np.bincount(self.labels)[self.labels]
        return dice.choice(len(self.images), len(self.images), p=share / share.sum())

    def _blend(
        self, images: Tensor, targets: Tensor, dice: np.random.Generator, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        config, draw = self.config, dice.random()
        if draw < config.mixup:
            return mix(images, targets, dice.beta(config.mixup_alpha, config.mixup_alpha), generator)
        if draw < config.mixup + config.cutmix:
            return cut_mix(images, targets, dice.random(), generator)
        return images, targets

    def _step(self, images: Tensor, targets: Tensor, progress: float) -> tuple[float, float]:
        set_rate(self.optimizer, learning_rate(self.config, progress, self.logs))
        images = normalise(images).to(self.device).contiguous(memory_format=torch.channels_last)
        targets = targets.to(self.device)
        self.optimizer.zero_grad()
        with autocast(self.device, self.config.bf16):
            logits = self.network(images)
        loss = soft_loss(logits, targets, self.config, self.label_weights)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss.item()} at epoch {progress:.2f}; the best weights so far are kept; "
                "try a lower learning rate"
            )
        loss.backward()  # type: ignore[no-untyped-call]
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimizer.step()
        self._average()
        right = (logits.argmax(1) == targets.argmax(1)).float().mean()
        return float(loss.item()), float(right.item())

    @torch.no_grad()
    def _average(self) -> None:
        # Early steps count less, so that the average forgets the random start within the first epochs.
        self.updates += 1
        weight = 1 - min(self.config.average, (1 + self.updates) / (10 + self.updates))
        state = self.network.state_dict()
        for name, tensor in self.average.items():
            tensor.lerp_(state[name], weight)

    def close_epoch(self, train_loss: float, train_accuracy: float, started: float) -> EpochLog:
        """Validate the averaged weights, write log and checkpoints, and return the epoch's log."""
        validation_loss, accuracy = self._validate()
        rate = learning_rate(self.config, self.epoch, self.logs)
        seconds = time.monotonic() - started
        log = EpochLog(
            self.epoch, train_loss, train_accuracy, validation_loss, accuracy, rate, seconds, best=False
        )
        if is_best(self.config, self.logs, log):
            log = EpochLog(**{**asdict(log), "best": True})
            save_checkpoint(self.folder / BEST, self.average, {"log": asdict(log)})
        self.logs.append(log)
        self._save_last()
        run_folder.write_log(self.folder, self.logs)
        return log

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        network = copy.deepcopy(self.network).eval()
        network.load_state_dict(self.average, strict=False)
        logits = torch.cat(
            [
                network(normalise(part.unsqueeze(1).float() / 255).to(self.device)).cpu()
                for part in torch.split(self.validation_images, _EVALUATION_BATCH)
            ]
        )
        loss = nn.functional.cross_entropy(logits, self.validation_targets).item()
        return loss, (logits.argmax(1) == self.validation_targets).float().mean().item()

    def _save_last(self) -> None:
        tensors = {
            **prefixed("network", self.network.state_dict()),
            **prefixed("average", self.average),
            **prefixed("optimizer", optimizer_state(self.optimizer)),
        }
        state = {"epoch": self.epoch, "logs": [asdict(log) for log in self.logs]}
        save_checkpoint(self.folder / LAST, tensors, state)

    def _resume(self) -> None:
        tensors, state = load_checkpoint(self.folder / LAST)
        try:
            self.network.load_state_dict(grouped(tensors, "network"))
            for name, tensor in grouped(tensors, "average").items():
                self.average[name].copy_(tensor)
            restore_optimizer(self.optimizer, grouped(tensors, "optimizer"))
            self.logs = [EpochLog(**log) for log in state["logs"]]
            self.epoch = state["epoch"]
        except (KeyError, RuntimeError, TypeError) as error:
            raise TrainingError(
                f"the checkpoint in {str(self.folder)!r} is of another network or an older Mien; "
                "choose another folder"
            ) from error
        self.updates = self.epoch * self.steps

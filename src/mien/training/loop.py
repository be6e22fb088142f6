"""The training loop: reads from top to bottom, resumes exactly.

A run is a folder: `config.json`, `log.csv`, `last.safetensors` (everything needed to go on) and
`best.safetensors` (the averaged weights of the best epoch). All randomness of an epoch follows from the
seed and the epoch's number, so a run that is killed and resumed ends with the same bits.
"""

from __future__ import annotations

import copy
import csv
import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mien.core.errors import TrainingError
from mien.core.files import atomic_write
from mien.datasets import FaceDataset, stratified_split
from mien.training.architectures import create_network
from mien.training.augment import augment, mix
from mien.training.checkpoints import grouped, load_checkpoint, prefixed, save_checkpoint
from mien.training.config import TrainingConfig
from mien.training.losses import soft_cross_entropy, soft_targets

LAST, BEST, CONFIG, LOG = "last.safetensors", "best.safetensors", "config.json", "log.csv"
_EVALUATION_BATCH = 256


@dataclass(frozen=True, slots=True)
class EpochLog:
    """What one epoch did; accuracies are fractions, losses in nats."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    best: bool


@dataclass(frozen=True, slots=True)
class Split:
    """The data of a run: the part trained on and the part kept apart to choose with."""

    train: FaceDataset
    validation: FaceDataset


def split_data(data: FaceDataset, config: TrainingConfig) -> Split:
    """Split a run's data as its configuration says; the same every time."""
    return Split(*stratified_split(data, config.validation, config.seed))


def train(
    data: FaceDataset,
    folder: Path,
    config: TrainingConfig,
    on_epoch: Callable[[EpochLog], None] = lambda log: None,
    on_step: Callable[[int, int, int], None] = lambda epoch, step, steps: None,
) -> list[EpochLog]:
    """Train until the last epoch or until patience ends; go on where the folder's last checkpoint stands.

    Args:
        data: faces to train on and to validate on.
        folder: the run; created when missing.
        config: the recipe; a folder that holds another one is refused.
        on_epoch: called after each epoch.
        on_step: called after each step with the epoch, the step's number and their count.

    Returns:
        The log of every epoch, those before a resume included.

    Raises:
        TrainingError: the loss is not finite, or the folder holds another run.
    """
    split = split_data(data, config)
    run = _Run(split, folder, config)
    while not run.finished:
        started = time.monotonic()
        loss = run.train_epoch(on_step)
        on_epoch(run.close_epoch(loss, time.monotonic() - started))
    return run.logs


class _Run:
    """Network, optimiser, averaged weights and log of a run, on disk after every epoch."""

    def __init__(self, split: Split, folder: Path, config: TrainingConfig) -> None:
        self.config, self.folder = config, folder
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(config.seed)
        self.network = create_network(config.architecture, len(split.train.labels))
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.clone() for k, v in self.network.state_dict().items() if v.is_floating_point()}
        self.optimizer = torch.optim.SGD(
            _decay_groups(self.network, config), lr=0.0, momentum=config.momentum, nesterov=True
        )
        self.images = _pixels(split.train)
        self.targets = torch.from_numpy(soft_targets(split.train, config.vote_weight, config.label_smoothing))
        self.validation_images = _pixels(split.validation)
        self.validation_targets = torch.from_numpy(split.validation.targets)
        self.steps = len(self.images) // config.batch_size
        if not self.steps:
            raise TrainingError(f"{len(self.images)} faces are less than one batch of {config.batch_size}")
        self.epoch = self.updates = 0
        self.logs: list[EpochLog] = []
        self._open_folder()

    @property
    def finished(self) -> bool:
        best = max((log.epoch for log in self.logs if log.best), default=self.epoch)
        return self.epoch >= self.config.epochs or self.epoch - best >= self.config.patience

    def train_epoch(self, on_step: Callable[[int, int, int], None]) -> float:
        """Return the mean loss of one pass over the training faces."""
        config = self.config
        seed = (config.seed * 1_000_003 + self.epoch) & 0x7FFFFFFF
        torch.manual_seed(seed)  # dropout
        generator = torch.Generator().manual_seed(seed)
        dice = np.random.default_rng(seed)
        order = torch.from_numpy(dice.permutation(len(self.images)))
        full_size = self.images.shape[-1]
        size = config.small_size if self.epoch < config.small_fraction * config.epochs else full_size
        self.network.train()
        total = 0.0
        for step in range(self.steps):
            chosen = order[step * config.batch_size : (step + 1) * config.batch_size]
            images = self.images[chosen].unsqueeze(1).float() / 255
            images = augment(images, config, min(size, full_size), generator)
            targets = self.targets[chosen]
            if dice.random() < config.mixup:
                images, targets = mix(
                    images, targets, dice.beta(config.mixup_alpha, config.mixup_alpha), generator
                )
            total += self._step(images, targets, self.epoch + step / self.steps)
            on_step(self.epoch, step + 1, self.steps)
        self.epoch += 1
        return total / self.steps

    def _step(self, images: Tensor, targets: Tensor, progress: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, progress)
        images, targets = normalise(images).to(self.device), targets.to(self.device)
        self.optimizer.zero_grad()
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.network(images.contiguous(memory_format=torch.channels_last))
        loss = soft_cross_entropy(logits, targets)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss.item()} at epoch {progress:.2f}; the best weights so far are kept; "
                "try a lower learning rate"
            )
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self._average()
        return float(loss.item())

    @torch.no_grad()
    def _average(self) -> None:
        # Early steps count less, so that the average forgets the random start within the first epochs.
        self.updates += 1
        weight = 1 - min(self.config.average, (1 + self.updates) / (10 + self.updates))
        state = self.network.state_dict()
        for name, tensor in self.average.items():
            tensor.lerp_(state[name], weight)

    def close_epoch(self, loss: float, seconds: float) -> EpochLog:
        """Validate the averaged weights, write log and checkpoints, and return the epoch's log."""
        validation_loss, accuracy = self._validate()
        best = accuracy > max((log.validation_accuracy for log in self.logs), default=-1.0)
        rate = learning_rate(self.config, self.epoch)
        log = EpochLog(self.epoch, loss, validation_loss, accuracy, rate, seconds, best)
        self.logs.append(log)
        if best:
            save_checkpoint(self.folder / BEST, self.average, {"log": asdict(log)})
        self._save_last()
        atomic_write(self.folder / LOG, _csv(self.logs))
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

    def _open_folder(self) -> None:
        written = self.folder / CONFIG
        if written.exists():
            if written.read_text(encoding="utf-8") != self.config.to_json():
                raise TrainingError(
                    f"{str(self.folder)!r} holds a run with other options; choose another folder"
                )
            if (self.folder / LAST).exists():
                self._resume()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic_write(written, self.config.to_json())

    def _save_last(self) -> None:
        momentum = {
            str(i): self.optimizer.state[p]["momentum_buffer"]
            for i, p in enumerate(_parameters(self.optimizer))
        }
        tensors = {
            **prefixed("network", self.network.state_dict()),
            **prefixed("average", self.average),
            **prefixed("momentum", momentum),
        }
        state = {"epoch": self.epoch, "logs": [asdict(log) for log in self.logs]}
        save_checkpoint(self.folder / LAST, tensors, state)

    def _resume(self) -> None:
        tensors, state = load_checkpoint(self.folder / LAST)
        try:
            self.network.load_state_dict(grouped(tensors, "network"))
            for name, tensor in grouped(tensors, "average").items():
                self.average[name].copy_(tensor)
            momentum = grouped(tensors, "momentum")
            for i, parameter in enumerate(_parameters(self.optimizer)):
                buffer = torch.empty_like(parameter).copy_(momentum[str(i)])
                self.optimizer.state[parameter]["momentum_buffer"] = buffer
        except (KeyError, RuntimeError) as error:
            raise TrainingError(f"the checkpoint in {str(self.folder)!r} is of another network") from error
        self.epoch, self.updates = state["epoch"], state["epoch"] * self.steps
        self.logs = [EpochLog(**log) for log in state["logs"]]


def learning_rate(config: TrainingConfig, progress: float) -> float:
    """Return the rate after `progress` epochs: a straight warm-up, then half a cosine down to zero."""
    if progress < config.warmup_epochs:
        return config.learning_rate * (progress + 1e-3) / config.warmup_epochs
    rest = (progress - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0)))


MEAN, STD = 0.5, 0.25


def normalise(images: Tensor) -> Tensor:
    """Return images in [0, 1] as the networks read them; the card states the same mean and deviation."""
    return (images - MEAN) / STD


def _pixels(data: FaceDataset) -> Tensor:
    return torch.from_numpy(data.images)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _decay_groups(network: nn.Module, config: TrainingConfig) -> list[dict[str, Any]]:
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def _csv(logs: list[EpochLog]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(EpochLog.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(log) for log in logs)
    return text.getvalue()

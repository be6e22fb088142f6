"""The training loop: reads from top to bottom, resumes exactly.

A run is a folder, see `run_folder`: `last.safetensors` holds everything needed to go on, and
`best.safetensors` the averaged weights of the best epoch. All randomness of an epoch follows from the
seed and the epoch's number, so a run that is killed and resumed ends with the same bits. Several processes
do the same steps, each on its part of every batch; the first one alone writes.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.core.errors import TrainingError
from mien.core.files import shown
from mien.core.version import __version__, revision
from mien.datasets import FaceDataset
from mien.training import run_folder
from mien.training.architectures import create_network
from mien.training.at_work import at_work
from mien.training.batches import Batches, Part, normalise
from mien.training.checkpoints import (
    check_tensors,
    grouped,
    parse_checkpoint,
    prefixed,
    read_logs,
    read_weights_file,
    save_checkpoint,
)
from mien.training.config import TrainingConfig
from mien.training.cost import summarise
from mien.training.device import autocast, compiled
from mien.training.distributed import Group, accumulating, joined
from mien.training.events import EventLog
from mien.training.freeze import Body
from mien.training.losses import distil_loss, label_priors, label_weights, soft_loss
from mien.training.optimizers import create_optimizer, optimizer_state, restore_optimizer, set_rate
from mien.training.run_folder import BEST, DIGESTS, EVENTS, LAST
from mien.training.schedules import EpochLog, is_best, learning_rate, patience_ended
from mien.training.sharpness import climbed
from mien.training.split import Split, split_data
from mien.training.start import Start, put_weights
from mien.training.teachers import Teachers
from mien.training.validate import validate

_REMEMBERED = "optimizer_tensors"


def train(
    data: FaceDataset,
    folder: Path,
    config: TrainingConfig,
    on_epoch: Callable[[EpochLog], None] = lambda log: None,
    on_step: Callable[[int, int, int], None] = lambda epoch, step, steps: None,
    start: Start | None = None,
    teachers: Teachers | None = None,
    places: Mapping[str, str] | None = None,
) -> list[EpochLog]:
    """Train until the last epoch or until patience ends; go on where the folder's last checkpoint stands.

    Args:
        data: faces to train on and to validate on.
        folder: the run; created when missing.
        config: the recipe; a folder that holds another one is refused.
        on_epoch: called after each epoch.
        on_step: called after each step with the epoch, the step's number and their count.
        start: weights to fine-tune; fresh ones without it.
        teachers: networks that say what the faces show, on the same views; none without it.
        places: where what was given lies, by the name of the option, for the command that makes it again.

    Returns:
        The log of every epoch, those before a resume included.

    Raises:
        TrainingError: the loss is not finite, or the folder holds another run.
    """
    with joined() as group, ExitStack() as stack:
        split = split_data(data, config)
        digests = dict(zip(DIGESTS, (split.digest(), split.validation_digest()), strict=True))
        group.check_equal(json.dumps(digests), "faces or options")
        network = first_network(config, data.labels, start)
        groups = None if teachers is None else teachers.groups
        # Too few faces are known before there is a folder.
        batches = Batches(split, config, group.rank, group.size, device=group.device, groups=groups)
        if group.first:
            layers = summarise(network, (1, *data.images.shape[1:]))
            run_folder.open_run(
                folder, config, _facts(split, digests, group, start, teachers), layers, places
            )
            stack.enter_context(at_work(folder))
        run = _Run(network, split, batches, folder, config, group, start is not None, teachers)
        events = stack.enter_context(EventLog(folder / EVENTS, run.epoch)) if group.first else None
        while not run.finished:
            started = time.monotonic()
            loss, accuracy = run.train_epoch(on_step)
            log = run.close_epoch(loss, accuracy, started)
            if events is not None:
                events.add(log, run.network)
                on_epoch(log)
    return run.logs


def first_network(config: TrainingConfig, labels: Sequence[str], start: Start | None) -> nn.Module:
    """Return the network that a run begins with: fresh weights by its seed, or those to start from."""
    torch.manual_seed(config.seed)
    network = create_network(config.architecture, len(labels), **config.network_options())
    if start is not None:
        put_weights(network, start, labels, config.architecture)
    return network


def _facts(
    split: Split,
    digests: Mapping[str, str],
    group: Group,
    start: Start | None,
    teachers: Teachers | None,
) -> dict[str, Any]:
    """What a run was made with, beside its configuration."""
    return {
        "mien": __version__,
        "revision": revision(),
        "torch": torch.__version__,
        "labels": list(split.data.labels),
        "votes": split.data.votes is not None,
        "faces": len(split.train),
        "validation_faces": len(split.validation),
        "own_validation": split.data.apart is not None,
        "data": split.data.source,
        **digests,
        "threads": torch.get_num_threads(),
        "device": str(group.device),
        "processes": group.size,
        "start": None if start is None else start.facts,
        "teachers": None if teachers is None else teachers.facts,
    }


class _Run:
    """Network, optimiser, averaged weights and log of a run, on disk after every epoch."""

    def __init__(
        self,
        network: nn.Module,
        split: Split,
        batches: Batches,
        folder: Path,
        config: TrainingConfig,
        group: Group,
        fine_tuned: bool,
        teachers: Teachers | None,
    ) -> None:
        self.network, self.split, self.config, self.folder = network, split, config, folder
        self.group, self.device = group, group.device
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.compiled = compiled(self.network) if config.compile else self.network
        self.body = Body(self.network) if fine_tuned and config.freeze_epochs else None
        self.average = {k: v.clone() for k, v in self.network.state_dict().items() if v.is_floating_point()}
        self.optimizer = create_optimizer(self.network, config)
        self.batches = batches
        self.teachers = None if teachers is None else teachers.to(self.device)
        priors = label_priors(split.data.targets[split.train], split.data.labels, config.logit_adjustment)
        self.label_priors = None if priors is None else torch.from_numpy(priors).to(self.device)
        weights = torch.from_numpy(label_weights(split.data.targets[split.train], split.data.labels))
        self.label_weights = weights.to(self.device) if config.class_weights else None
        self.epoch = self.updates = 0
        self.logs: list[EpochLog] = []
        self._resume()

    @property
    def finished(self) -> bool:
        return self.epoch >= self.config.epochs or patience_ended(self.config, self.logs)

    def train_epoch(self, on_step: Callable[[int, int, int], None]) -> tuple[float, float]:
        """Make one pass over the training faces; return its mean loss and accuracy."""
        torch.manual_seed(self.batches.seed(self.epoch))  # dropout
        self.network.train()
        if self.body is not None:
            self.body.hold(self.epoch < self.config.freeze_epochs)
        # Wrapped anew each epoch: layers thawed since take part, and a resumed run sums in the same order.
        network, steps = self.group.wrap(self.compiled), self.batches.steps
        loss = right = 0.0
        for step, parts in enumerate(self.batches.epoch(self.epoch)):
            set_rate(self.optimizer, learning_rate(self.config, self.epoch + step / steps, self.logs))
            step_loss, step_right = self._backward(network, parts)
            if self.config.sharpness:
                with climbed(self.network, self.config.sharpness):
                    self._backward(network, parts)
            self._check_finite("loss", step_loss, f"step {step + 1} of {steps} of epoch {self.epoch + 1}")
            self._update()
            loss, right = loss + step_loss, right + step_right
            if self.group.first:
                on_step(self.epoch, step + 1, steps)
        self.epoch += 1
        return loss / steps, right / steps

    def _backward(self, network: nn.Module, parts: Sequence[Part]) -> tuple[float, float]:
        """Compute the gradients of a batch; return its mean loss and accuracy, over all processes."""
        self.optimizer.zero_grad()
        figures = torch.zeros(2, dtype=torch.float64)
        for number, (views, targets, faces) in enumerate(parts, 1):
            images = normalise(views).to(self.device).contiguous(memory_format=torch.channels_last)
            targets = targets.to(self.device)
            share = len(images) / self.config.batch_size
            with accumulating(network, more=number < len(parts)):
                with autocast(self.device, self.config.bf16):
                    logits = network(images)
                loss = self._loss(logits, images, targets, faces)
                # The processes' gradients are averaged, so each counts its part as if it were the only one.
                (loss * (share * self.group.size)).backward()  # type: ignore[no-untyped-call]
            right = (logits.argmax(1) == targets.argmax(1)).float().mean()
            figures += torch.stack([loss.detach(), right]).double().cpu() * share
        loss_and_right = self.group.sum(figures).tolist()
        return loss_and_right[0], loss_and_right[1]

    def _loss(self, logits: Tensor, images: Tensor, targets: Tensor, faces: NDArray[np.int64]) -> Tensor:
        """Return the loss of a part, of which the teachers have a share where there are any."""
        config = self.config
        own = soft_loss(logits, targets, config, self.label_weights, self.label_priors)
        if self.teachers is None:
            return own
        with autocast(self.device, config.bf16):
            taught = self.teachers.probabilities(images, faces, config.distil_temperature)
        return torch.lerp(own, distil_loss(logits, taught, config.distil_temperature), config.distil_weight)

    def _check_finite(self, what: str, value: float, where: str) -> None:
        if math.isfinite(value):
            return
        best = [log.epoch for log in self.logs if log.best]
        kept = f"the best weights so far, of epoch {best[-1]}, are kept" if best else "no epoch was finished"
        raise TrainingError(
            f"the {what} became {value} at {where}; {kept}; train into another "
            "folder with a lower learning rate"
        )

    def _update(self) -> None:
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimizer.step()
        self._average()

    @torch.no_grad()
    def _average(self) -> None:
        # Early steps count less, so that the average forgets the random start within the first epochs.
        self.updates += 1
        weight = 1 - min(self.config.average, (1 + self.updates) / (10 + self.updates))
        state = self.network.state_dict()
        # One call for all: on a GPU a call for each tensor would take as long as the network does.
        torch._foreach_lerp_(list(self.average.values()), [state[name] for name in self.average], weight)

    def close_epoch(self, train_loss: float, train_accuracy: float, started: float) -> EpochLog:
        """Validate the averaged weights, write log and checkpoints, and return the epoch's log."""
        self.group.copy_first(self.average.values())  # with the first one's running statistics in it
        validation_loss, accuracy = validate(self.network, self.average, self.split, self.group)
        self._check_finite("validation loss", validation_loss, f"the end of epoch {self.epoch}")
        rate = learning_rate(self.config, self.epoch, self.logs)
        seconds = time.monotonic() - started
        log = EpochLog(
            self.epoch, train_loss, train_accuracy, validation_loss, accuracy, rate, seconds, best=False
        )
        log = EpochLog(**{**asdict(log), "best": is_best(self.config, self.logs, log)})
        log = EpochLog(**json.loads(self.group.share(json.dumps(asdict(log)).encode())))
        if log.best and self.group.first:
            save_checkpoint(self.folder / BEST, self.average, {"log": asdict(log)})
        self.logs.append(log)
        if self.group.first:
            self._save_last()
            run_folder.write_log(self.folder, self.logs)
        return log

    def _save_last(self) -> None:
        remembered = optimizer_state(self.optimizer)
        tensors = {
            **prefixed("network", self.network.state_dict()),
            **prefixed("average", self.average),
            **prefixed("optimizer", remembered),
        }
        logs = [asdict(log) for log in self.logs]
        state = {"epoch": self.epoch, "logs": logs, _REMEMBERED: len(remembered)}
        save_checkpoint(self.folder / LAST, tensors, state)

    def _resume(self) -> None:
        """Go on from the checkpoint that the first process finds, where there is one."""
        place = self.folder / LAST
        content = self.group.share(read_weights_file(place) if self.group.first and place.exists() else b"")
        if not content:
            return
        try:
            self._restore(*parse_checkpoint(content, place))
        except ValueError as error:
            raise TrainingError(
                f"the checkpoint {shown(place)} is damaged, of another network or of an older Mien: {error}; "
                "train into another folder, or remove that file to begin this run anew"
            ) from error
        if self.group.first:
            run_folder.mend_log(self.folder, self.logs)

    def _restore(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Take all that a checkpoint has to hold; nothing may be missing, or the run would end otherwise."""
        network, average = grouped(tensors, "network"), grouped(tensors, "average")
        check_tensors(network, self.network.state_dict(), "the network")
        check_tensors(average, self.average, "its averaged weights")
        remembered = grouped(tensors, "optimizer")
        # A run that an older Mien began does not say how many there are.
        if not remembered or state.get(_REMEMBERED, len(remembered)) != len(remembered):
            raise ValueError(f"{len(remembered)} tensors of the optimiser are not all that there were")
        self.logs = read_logs(state)
        self.network.load_state_dict(network)
        for name, tensor in average.items():
            self.average[name].copy_(tensor)
        restore_optimizer(self.optimizer, remembered)
        self.epoch = len(self.logs)
        self.updates = self.epoch * self.batches.steps

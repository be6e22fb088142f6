"""What TensorBoard shows of a run: curves, and histograms of the weights after every epoch."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

from torch import nn

from mien.training.schedules import EpochLog


class EventLog:
    """Writes TensorBoard's event files.

    Args:
        folder: of the event files; created when missing.
        epoch: epochs that are done; what an interrupted run wrote after them is left out of the curves.
    """

    def __init__(self, folder: Path, epoch: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tensorboard's own imports warn of their future
            from torch.utils.tensorboard import SummaryWriter
        self._writer = SummaryWriter(str(folder), purge_step=epoch + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, log: EpochLog, network: nn.Module) -> None:
        """Add one epoch: losses, accuracies, rate, and the weights."""
        writer, epoch = self._writer, log.epoch
        for name, parts in {
            "loss": {"train": log.train_loss, "validation": log.validation_loss},
            "accuracy": {"train": log.train_accuracy, "validation": log.validation_accuracy},
        }.items():
            for part, value in parts.items():
                writer.add_scalar(f"{name}/{part}", value, epoch)
        writer.add_scalar("learning_rate", log.learning_rate, epoch)
        for name, weights in network.named_parameters():
            writer.add_histogram(name, weights.detach().float().cpu(), epoch)
        writer.flush()

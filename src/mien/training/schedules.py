"""Learning rates, and when to stop: both follow from the configuration and the log alone.

Nothing here keeps a state of its own, so a resumed run needs only its log to go on as it would have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mien.training.config import TrainingConfig

_ONE_CYCLE_RISE = 0.3
_ONE_CYCLE_START = 1 / 25


@dataclass(frozen=True, slots=True)
class EpochLog:
    """What one epoch did; accuracies are fractions, losses in nats, numbers of epochs count from 1."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    best: bool

    def __str__(self) -> str:
        return self.line()

    @classmethod
    def from_dict(cls, data: Any) -> EpochLog:
        """Return the log whose plain types `data` holds; anything else raises ValueError."""
        wanted: dict[Any, Any] = {"int": int, "float": (int, float), "bool": bool}
        if not isinstance(data, Mapping) or set(data) != {entry.name for entry in fields(cls)}:
            raise ValueError("the log of an epoch has other figures than Mien writes")
        for entry in fields(cls):
            value = data[entry.name]
            is_plain = isinstance(value, wanted[entry.type]) and isinstance(value, bool) == (
                entry.type == "bool"
            )
            if not is_plain or not -1e300 < value < 1e300:
                raise ValueError(f"an epoch has the {entry.name} {str(value)[:40]!r}")
        return cls(**data)

    def line(self, epochs: int | None = None) -> str:
        """Return one line for a reader, of `epochs` in all; a star marks the best epoch so far."""
        return (
            f"epoch {self.epoch}{'' if epochs is None else f'/{epochs}'}  loss {self.train_loss:.4f}  "
            f"validation: loss {self.validation_loss:.4f}  accuracy {self.validation_accuracy:.2%}"
            f"{' *' if self.best else ''}  {self.seconds:.0f} s"
        )


def learning_rate(config: TrainingConfig, progress: float, logs: Sequence[EpochLog] = ()) -> float:
    """Return the rate after `progress` epochs.

    Args:
        config: names the schedule.
        progress: epochs done, with the part of the present one.
        logs: of the epochs done, which the plateau schedule looks at.
    """
    if config.schedule == "one-cycle":
        return config.learning_rate * _one_cycle(progress / config.epochs)
    if progress < config.warmup_epochs:
        return config.learning_rate * (progress + 1e-3) / config.warmup_epochs
    if config.schedule == "plateau":
        return _after_plateaus(config, [log.validation_loss for log in logs])
    if config.schedule == "constant":
        return config.learning_rate
    rest = (progress - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
    return config.learning_rate * _half_cosine(rest)


def is_best(config: TrainingConfig, logs: Sequence[EpochLog], log: EpochLog) -> bool:
    """Return whether `log` is better than every one before it."""
    return all(_gain(config, log, other) > 0 for other in logs)


def patience_ended(config: TrainingConfig, logs: Sequence[EpochLog]) -> bool:
    """Return whether the last `patience` epochs brought no gain of more than `min_delta`."""
    since = 0
    best: EpochLog | None = None
    for log in logs:
        if best is None or _gain(config, log, best) > config.min_delta:
            best, since = log, 0
        else:
            since += 1
    return since >= config.patience


def _gain(config: TrainingConfig, log: EpochLog, other: EpochLog) -> float:
    if config.monitor == "loss":
        return other.validation_loss - log.validation_loss
    return log.validation_accuracy - other.validation_accuracy


def _half_cosine(rest: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(max(rest, 0.0), 1.0)))


def _one_cycle(done: float) -> float:
    """Rise from a 25th of the rate for three tenths of the run, then fall to zero (Smith, 2018)."""
    if done < _ONE_CYCLE_RISE:
        return _ONE_CYCLE_START + (1 - _ONE_CYCLE_START) * (1 - _half_cosine(done / _ONE_CYCLE_RISE))
    return _half_cosine((done - _ONE_CYCLE_RISE) / (1 - _ONE_CYCLE_RISE))


def _after_plateaus(config: TrainingConfig, losses: Sequence[float]) -> float:
    """Replay the losses: each plateau multiplies the rate, down to the floor (Keras' ReduceLROnPlateau)."""
    rate, best, waited, cooling = config.learning_rate, math.inf, 0, 0
    for loss in losses:
        if cooling:
            cooling -= 1
            waited = 0
        if loss < best - 1e-4:
            best, waited = loss, 0
        elif not cooling:
            waited += 1
            if waited >= config.plateau_patience:
                rate = max(rate * config.plateau_factor, config.plateau_floor)
                waited, cooling = 0, config.plateau_cooldown
    return rate

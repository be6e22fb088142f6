"""How a network is trained: every value of a run, stored with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from mien.core.errors import OptionError


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The recipe of a run; the defaults are those of `mien-base`.

    Attributes:
        architecture: name of the network.
        epochs: passes over the training split at most.
        batch_size: faces a step.
        learning_rate: highest rate of SGD with Nesterov momentum, reached after `warmup_epochs` and
            brought to zero along a half cosine.
        weight_decay: on convolution and linear weights; not on biases and batch-norm.
        vote_weight: targets are (1 - vote_weight) × label + vote_weight × crowd votes, where there are votes.
        label_smoothing: share of the target spread over all labels.
        small_size, small_fraction: side of the crops for the first part of the epochs, and that part.
        rotation, scale, shear, shift: greatest random change: degrees, then fractions (shift: of the side).
        flip: mirror half of the faces.
        light: greatest random change of brightness and contrast, as a fraction.
        erase: share of the faces that lose a random rectangle.
        mixup: share of the batches that are mixed; `mixup_alpha` of the Beta distribution.
        average: decay of the averaged weights a step; they are what is validated and exported.
        validation: fraction of the training data kept apart, stratified, to choose the epoch, the
            temperature and the threshold on.
        patience: epochs without a better validation accuracy before training stops.
        seed: of the split, the weights, the order and the augmentation.
    """

    architecture: str = "mien-base"
    epochs: int = 55
    batch_size: int = 128
    learning_rate: float = 0.05
    warmup_epochs: float = 3.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    vote_weight: float = 0.4
    label_smoothing: float = 0.0
    small_size: int = 40
    small_fraction: float = 0.65
    rotation: float = 12.0
    scale: float = 0.12
    shear: float = 0.0
    shift: float = 0.04
    flip: bool = True
    light: float = 0.3
    erase: float = 0.2
    mixup: float = 0.0
    mixup_alpha: float = 0.2
    average: float = 0.998
    validation: float = 0.08
    patience: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.epochs >= 1, "epochs", self.epochs, "at least 1")
        _require(
            self.batch_size >= 2, "batch_size", self.batch_size, "at least 2 (batch norm needs two faces)"
        )
        _require(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")
        _require(self.patience >= 1, "patience", self.patience, "at least 1")
        _require(self.mixup_alpha > 0, "mixup_alpha", self.mixup_alpha, "above 0")
        _require(0 < self.validation < 1, "validation", self.validation, "between 0 and 1")
        for name in ("vote_weight", "label_smoothing", "small_fraction", "erase", "mixup", "light", "scale"):
            _require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "in [0, 1]")
        _require(0 <= self.average < 1, "average", self.average, "in [0, 1)")

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return asdict(self)

    def to_json(self) -> str:
        """Return indented JSON."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainingConfig:
        """Return the configuration that `to_dict` described; unknown names raise OptionError."""
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise OptionError(f"unknown training options: {', '.join(unknown)}")
        return cls(**data)


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise OptionError(f"{name} has to be {wanted}, not {value!r}")

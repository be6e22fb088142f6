"""How a network is trained: every value of a run, stored with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mien.core.option_table import check_fields, from_mapping, option

# The names alone, so that `--help` needs no torch; `training.architectures` holds the networks.
ARCHITECTURE_NAMES: tuple[str, ...] = ("mien-base",)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The recipe of a run; the defaults are those of `mien-base`. Frozen and checked when made."""

    architecture: str = option("mien-base", "Network to train.", choices=ARCHITECTURE_NAMES)
    epochs: int = option(55, "Passes over the training faces at most.", low=1, high=10_000)
    batch_size: int = option(128, "Faces a step.", low=2, high=65_536)
    learning_rate: float = option(
        0.05,
        "Highest rate of SGD, reached after the warm-up; then half a cosine down to 0.",
        low=1e-9,
        high=100,
    )
    warmup_epochs: float = option(3.0, "Epochs in which the rate rises to its highest.", low=0, high=10_000)
    momentum: float = option(0.9, "Nesterov momentum of SGD.", low=1e-9, high=0.9999)
    weight_decay: float = option(
        5e-4, "Decay of convolution and linear weights; biases and batch norm have none.", low=0, high=1
    )
    vote_weight: float = option(
        0.4,
        "Share of the crowd votes in each target, where there are votes; the rest is the label.",
        low=0,
        high=1,
    )
    label_smoothing: float = option(0.0, "Share of each target spread over all labels.", low=0, high=1)
    small_size: int = option(
        40, "Side of the random crops in the first epochs, in pixels.", low=16, high=1024
    )
    small_fraction: float = option(0.65, "Part of the epochs that see small crops.", low=0, high=1)
    rotation: float = option(12.0, "Greatest random rotation, in degrees.", low=0, high=180)
    scale: float = option(0.12, "Greatest random change of scale.", low=0, high=0.9)
    shear: float = option(0.0, "Greatest random shear.", low=0, high=1)
    shift: float = option(0.04, "Greatest random shift, as part of the side.", low=0, high=1)
    flip: bool = option(True, "Mirror half of the faces.")
    light: float = option(0.3, "Greatest random change of brightness and of contrast.", low=0, high=1)
    erase: float = option(0.2, "Share of the faces that lose a random rectangle.", low=0, high=1)
    mixup: float = option(0.0, "Share of the batches whose faces are blended in pairs.", low=0, high=1)
    mixup_alpha: float = option(0.2, "Shape of mixup's Beta distribution.", low=1e-3, high=100)
    average: float = option(
        0.998, "Decay a step of the averaged weights, which are validated and exported.", low=0, high=0.999999
    )
    validation: float = option(
        0.08,
        "Part of the faces kept apart to choose epoch, temperature and threshold on.",
        low=1e-6,
        high=0.9,
    )
    patience: int = option(
        25, "Epochs without a better validation accuracy before training stops.", low=1, high=10_000
    )
    seed: int = option(
        0, "Of the split, the first weights, the order and the changes.", low=0, high=2**31 - 1
    )

    def __post_init__(self) -> None:
        check_fields(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return asdict(self)

    def to_json(self) -> str:
        """Return indented JSON."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainingConfig:
        """Return the configuration that `to_dict` described; unknown names raise OptionError."""
        return from_mapping(cls, data)

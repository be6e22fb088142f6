"""How a network is trained: every value of a run, stored with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from mien.core.errors import OptionError
from mien.core.option_table import check_fields, from_mapping, option

# The names alone, so that `--help` needs no torch; `training.architectures` holds the networks.
ARCHITECTURE_NAMES: tuple[str, ...] = (
    "mien-base",
    "mien-tiny",
    "mien-teacher",
    "r1",
    "r2",
    "r3",
    "r4",
    "r5",
)
# The options below that a network takes, by its name; someone's own takes whatever its factory does.
_OURS, _MOBILE = ("attention", "standardise"), ("width", "input_size", "origin")
NETWORK_FIELDS: tuple[str, ...] = (*_OURS, *_MOBILE)
NETWORK_OPTIONS: dict[str, tuple[str, ...]] = {
    name: _OURS if name.startswith("mien-") else _MOBILE if name == "r2" else ()
    for name in ARCHITECTURE_NAMES
}
# They end in layers of a fixed size and read 48×48 pixels only, so no small crops.
ONE_SIDE_ONLY: frozenset[str] = frozenset({"r3", "r4", "r5"})
# Where someone's own network is: `package.module:Factory`.
MODULE_PATH = r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*"

OPTIMIZERS: tuple[str, ...] = ("sgd", "adam", "adamw", "muon")
SCHEDULES: tuple[str, ...] = ("cosine", "plateau", "one-cycle", "constant")
LOSSES: tuple[str, ...] = ("cross-entropy", "focal")
SAMPLINGS: tuple[str, ...] = ("shuffle", "balanced")
MONITORS: tuple[str, ...] = ("accuracy", "loss")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The recipe of a run; the defaults are those of `mien-base`. Frozen and checked when made."""

    architecture: str = option(
        "mien-base",
        "Network to train: one of Mien's, or anyone's own by the place of its class.",
        choices=ARCHITECTURE_NAMES,
        form=("package.module:Factory", MODULE_PATH),
    )
    attention: bool = option(True, "Mien's networks: channels weighed by squeeze-excite.")
    standardise: bool = option(
        False,
        "Mien's networks: give each face mean 0 and deviation 1 first, so that light and contrast change "
        "little.",
    )
    width: float = option(1.0, "r2: factor on the channels of every layer.", low=0.1, high=4)
    input_size: int = option(
        224,
        "r2: side in pixels at which it reads faces, a multiple of 32; 0 leaves them as they come.",
        low=0,
        high=1024,
    )
    origin: str = option(
        "torchvision", "r2: whose weights it fits, in padding and colours.", choices=("torchvision", "keras")
    )
    freeze_epochs: int = option(
        0,
        "First epochs in which only the last layers learn and all others stay as they are, where a run "
        "starts from weights.",
        low=0,
        high=10_000,
    )
    epochs: int = option(55, "Passes over the training faces at most.", low=1, high=10_000)
    batch_size: int = option(128, "Faces a step, over all processes that train together.", low=2, high=65_536)
    accumulate: int = option(
        1,
        "Parts that each batch is computed in, one after the other, to take less memory; batch norm sees "
        "one part at a time.",
        low=1,
        high=32_768,
    )
    optimizer: str = option(
        "sgd",
        "How weights move: SGD with Nesterov momentum, Adam, AdamW, or Muon for the weights of hidden layers "
        "with AdamW for all others.",
        choices=OPTIMIZERS,
    )
    learning_rate: float = option(
        0.05, "Highest learning rate, reached after the warm-up.", low=1e-9, high=100
    )
    warmup_epochs: float = option(3.0, "Epochs in which the rate rises to its highest.", low=0, high=10_000)
    schedule: str = option(
        "cosine",
        "The rate after the warm-up: half a cosine down to 0, lower at each plateau of the validation "
        "loss, one cycle (up for three tenths of the epochs, then down), or constant.",
        choices=SCHEDULES,
    )
    plateau_factor: float = option(0.5, "What a plateau multiplies the rate by.", low=1e-6, high=0.999999)
    plateau_patience: int = option(
        4, "Epochs without a better validation loss that make a plateau.", low=1, high=10_000
    )
    plateau_cooldown: int = option(
        0, "Epochs after a plateau in which no other one begins.", low=0, high=10_000
    )
    plateau_floor: float = option(1e-6, "Lowest rate that plateaus lead to.", low=0, high=1)
    momentum: float = option(0.9, "Nesterov momentum of SGD and of Muon.", low=1e-9, high=0.9999)
    weight_decay: float = option(
        5e-4,
        "Decay of convolution and linear weights; biases and batch norm have none. With SGD and Adam it "
        "is part of the gradient (twice Keras' L2 factor), with AdamW and Muon it is apart.",
        low=0,
        high=1,
    )
    sharpness: float = option(
        0.0,
        "Sharpness-aware steps: how far each step first climbs, as the length of that move over all weights; "
        "0 is none. A step then takes twice the time.",
        low=0,
        high=10,
    )
    clip: float = option(0.0, "Longest gradient of a step (its norm); 0 is no limit.", low=0, high=1e6)
    loss: str = option("cross-entropy", "What is minimised.", choices=LOSSES)
    focal_gamma: float = option(2.0, "How much the focal loss favours hard faces.", low=0, high=10)
    logit_adjustment: float = option(
        0.0,
        "How much rare labels are favoured: times the logarithm of each label's share, added to its logit "
        "while training; 1 aims at the mean accuracy of the labels.",
        low=0,
        high=5,
    )
    class_weights: bool = option(False, "Weigh each label by the inverse of its share of the faces.")
    sampling: str = option(
        "shuffle", "Which faces an epoch sees: each once, or every label equally often.", choices=SAMPLINGS
    )
    vote_weight: float = option(
        0.4,
        "Share of the crowd votes in each target, where there are votes; the rest is the label.",
        low=0,
        high=1,
    )
    distil_weight: float = option(
        0.9,
        "Share of the teachers in the loss, where there are teachers; the rest is each face's own target.",
        low=0,
        high=1,
    )
    distil_temperature: float = option(
        1.5, "What the logits of teachers and student are divided by to compare them.", low=0.1, high=20
    )
    label_smoothing: float = option(0.0, "Share of each target spread over all labels.", low=0, high=1)
    small_size: int = option(
        40, "Side of the random crops in the first epochs, in pixels.", low=16, high=1024
    )
    small_fraction: float = option(
        0.65,
        "Part of the epochs that see small crops; 0 where it is not given and the network reads one size "
        "only (r3, r4, r5).",
        low=0,
        high=1,
    )
    rotation: float = option(12.0, "Greatest random rotation, in degrees.", low=0, high=180)
    scale: float = option(0.12, "Greatest random change of scale.", low=0, high=0.9)
    shear: float = option(0.0, "Greatest random shear.", low=0, high=1)
    shift: float = option(0.04, "Greatest random shift, as part of the side.", low=0, high=1)
    flip: bool = option(True, "Mirror half of the faces.")
    light: float = option(0.3, "Greatest random change of brightness and of contrast.", low=0, high=1)
    gamma: float = option(
        1.0, "Greatest random gamma g, from 1/g (brighter) to g (darker); 1 is no change.", low=1, high=10
    )
    blur: float = option(
        0.0, "Share of the faces that are blurred, with a deviation of up to 1/24 of the side.", low=0, high=1
    )
    low_resolution: float = option(
        0.0,
        "Share of the batches of which half the faces are shrunk, to no less than a third, and enlarged.",
        low=0,
        high=1,
    )
    noise: float = option(
        0.0, "Share of the faces that get noise, with a deviation of up to a tenth of white.", low=0, high=1
    )
    erase: float = option(0.2, "Share of the faces that lose a random rectangle.", low=0, high=1)
    mixup: float = option(0.0, "Share of the batches whose faces are blended in pairs.", low=0, high=1)
    mixup_alpha: float = option(0.2, "Shape of mixup's Beta distribution.", low=1e-3, high=100)
    cutmix: float = option(
        0.0,
        "Share of the batches whose faces get a rectangle of another; not those with mixup.",
        low=0,
        high=1,
    )
    calm_fraction: float = option(
        0.0,
        "Last part of the epochs, in which rotation, scale, shear, shift, erasing and blends grow weaker "
        "evenly; light and damage stay.",
        low=0,
        high=1,
    )
    calm_strength: float = option(0.2, "What is left of those in the last epoch.", low=0, high=1)
    average: float = option(
        0.998,
        "Decay a step of the averaged weights, which are validated and exported; 0 is no average.",
        low=0,
        high=0.999999,
    )
    bf16: bool = option(
        True, "Compute in bfloat16 where the processor or GPU has it; faster, about as exact."
    )
    compile: bool = option(
        False,
        "Compile the network before it is trained (torch.compile): a minute at first, faster steps on a GPU; "
        "on a processor it brings next to nothing and needs a C++ compiler.",
    )
    validation: float = option(
        0.08,
        "Part of the faces kept apart to choose epoch, temperature and threshold on.",
        low=1e-6,
        high=0.9,
    )
    monitor: str = option("accuracy", "Validation figure that chooses the best epoch.", choices=MONITORS)
    min_delta: float = option(
        0.0, "Least gain of that figure that counts as better for patience.", low=0, high=1
    )
    patience: int = option(25, "Epochs without a better figure before training stops.", low=1, high=10_000)
    seed: int = option(
        0, "Of the split, the first weights, the order and the changes.", low=0, high=2**31 - 1
    )

    def __post_init__(self) -> None:
        check_fields(self)
        taken = NETWORK_OPTIONS.get(self.architecture)
        if taken is not None and (foreign := [name for name in self._chosen() if name not in taken]):
            owners = [name for name, its in NETWORK_OPTIONS.items() if foreign[0] in its]
            raise OptionError(
                f"{foreign[0]} is no option of {self.architecture}; it belongs to {', '.join(owners)}"
            )

    def network_options(self) -> dict[str, Any]:
        """Return the arguments of the network by name; someone's own gets those that are no defaults."""
        names = NETWORK_OPTIONS.get(self.architecture, self._chosen())
        options = {name: getattr(self, name) for name in names}
        if options.get("input_size") == 0:
            options["input_size"] = None
        return options

    def _chosen(self) -> tuple[str, ...]:
        """The options of networks that are not at their default."""
        defaults = {entry.name: entry.default for entry in fields(self)}
        return tuple(name for name in NETWORK_FIELDS if getattr(self, name) != defaults[name])

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


def check_code(architecture: str, given: str | None, whose: str) -> None:
    """Refuse to import a network that only a file names: importing is running it.

    Args:
        architecture: as a file or a run has it; a name of `ARCHITECTURE_NAMES` is nobody's code.
        given: what the user named, the same path for code that is trusted; None for nothing.
        whose: what names the architecture, for the message.

    Raises:
        OptionError: it is the path of a module, and the user did not name it.
    """
    if architecture not in ARCHITECTURE_NAMES and architecture != given:
        raise OptionError(
            f"{whose} name a network of someone's own, {architecture!r}, whose code would run; "
            f"where you trust it, say so with --architecture {architecture} (in Python architecture=)"
        )


def network_of(config: TrainingConfig) -> dict[str, Any]:
    """Return the options of a configuration that say what its network is, not how it is trained."""
    values = config.to_dict()
    return {name: values[name] for name in ("architecture", *config.network_options())}

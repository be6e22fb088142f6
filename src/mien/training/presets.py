"""Recipes by name: the reference systems' own as they are published, and Mien's.

What a system does not state is left at the value written here and said so: R1's extent of its random
changes, R2's patience, R4's and R5's greatest number of epochs. Where a system scales the two directions
by different amounts, Mien scales both alike.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mien.core.errors import OptionError
from mien.core.files import atomic_write, reason, shown
from mien.training._json import parse_object
from mien.training.config import ARCHITECTURE_NAMES, ONE_SIDE_ONLY, TrainingConfig, check_code

# What every reference system shares: Keras, plain labels, full-size faces, no averaged weights.
_KERAS: dict[str, Any] = {
    "optimizer": "adam",
    "warmup_epochs": 0.0,
    "schedule": "constant",
    "weight_decay": 0.0,
    "vote_weight": 0.0,
    "small_fraction": 0.0,
    "average": 0.0,
    "monitor": "loss",
    "validation": 0.2,
}
_NO_CHANGES: dict[str, Any] = {
    "rotation": 0.0,
    "scale": 0.0,
    "shear": 0.0,
    "shift": 0.0,
    "flip": False,
    "light": 0.0,
    "erase": 0.0,
}

PRESETS: dict[str, dict[str, Any]] = {
    "mien-base": {"architecture": "mien-base"},
    "r1": {
        **_KERAS,
        **_NO_CHANGES,
        "architecture": "r1",
        "learning_rate": 1e-4,
        "weight_decay": 2e-3,  # Keras' L2 of 1e-3 adds 1e-3 w², whose gradient is 2e-3 w
        "batch_size": 8,
        "epochs": 50,
        "patience": 10,
        "rotation": 10.0,
        "shift": 0.1,
        "scale": 0.1,
        "flip": True,
    },
    "r2": {
        **_KERAS,
        **_NO_CHANGES,
        "architecture": "r2",
        "learning_rate": 1e-4,
        "batch_size": 32,
        "epochs": 50,
        "freeze_epochs": 5,  # with weights of ImageNet; how many is not published
        "patience": 10,
        "rotation": 15.0,
        "scale": 0.1,
        "flip": True,
        "light": 0.2,
    },
    "r3": {
        **_KERAS,
        **_NO_CHANGES,
        "architecture": "r3",
        "learning_rate": 1e-4,
        "batch_size": 64,
        "epochs": 100,
        "patience": 10,
        "schedule": "plateau",
        "plateau_factor": 0.2,
        "plateau_patience": 4,
        "plateau_floor": 1e-6,
        "rotation": 30.0,
        "shear": 0.2,
        "scale": 0.3,
        "shift": 0.3,
        "flip": True,
    },
    "r4": {
        **_KERAS,
        **_NO_CHANGES,
        "architecture": "r4",
        "learning_rate": 1e-3,
        "batch_size": 64,
        "epochs": 100,
        "monitor": "accuracy",
        "patience": 8,
        "min_delta": 0.001,
        "schedule": "plateau",
        "plateau_factor": 0.5,
        "plateau_patience": 4,
        "plateau_cooldown": 2,
        "plateau_floor": 1e-6,
    },
    "r5": {
        **_KERAS,
        **_NO_CHANGES,
        "architecture": "r5",
        "learning_rate": 1e-3,
        "batch_size": 64,
        "epochs": 100,
        "patience": 5,
        "schedule": "plateau",
        "plateau_factor": 0.1,
        "plateau_patience": 3,
        "plateau_floor": 1e-6,
    },
}

# For a few hundred faces and weights to start from; docs/decisions/0006 has what was measured.
FINE_TUNE = "fine-tune"
PRESETS[FINE_TUNE] = {
    "epochs": 12,
    "batch_size": 32,
    "learning_rate": 0.01,
    "warmup_epochs": 0.5,
    "small_fraction": 0.0,
    "rotation": 8.0,
    "scale": 0.08,
    "erase": 0.0,
    "light": 0.15,
    "average": 0.98,
    "validation": 0.2,
}

# Labels that a preset is published with, where they are not all of the data's.
PRESET_LABELS: dict[str, tuple[str, ...]] = {"r5": ("angry", "fear", "happy", "sad", "surprise")}


def resolve(
    preset: str | None,
    file: Path | None,
    given: Mapping[str, Any],
    network: Mapping[str, Any] | None = None,
) -> TrainingConfig:
    """Return the configuration of a run: the preset, over it the file, over both what was given.

    Args:
        preset: a name of `PRESETS`, or None for Mien's recipe.
        file: a TOML file with options by name, or a run's config.json; None for none.
        given: options by name.
        network: of the weights to start from, its options by name: it is trained where none of the three
            names another one. A path to someone's own is only followed where one of them names it too.

    Raises:
        OptionError: an unknown preset, option or value, small crops for a network that reads one size only,
            a file that is neither TOML nor JSON, or weights that alone name a network of someone's own.
    """
    values: dict[str, Any] = {}
    if preset is not None:
        if not isinstance(preset, str) or preset not in PRESETS:
            raise OptionError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
        if preset == FINE_TUNE and network is None:
            raise OptionError(f"preset {preset!r} needs weights to start from, such as those of mien-base")
        values |= PRESETS[preset]
    if file is not None:
        options = _read_options(file)
        if file.suffix.lower() == ".json" and isinstance(its := options.get("architecture"), str):
            check_code(
                its, given.get("architecture"), f"the options of {shown(file)}"
            )  # a run may be a stranger's
        values |= options
    values |= given
    if network and values.get("architecture", network["architecture"]) == network["architecture"]:
        check_code(network["architecture"], values.get("architecture"), "the weights to start from")
        values = {**network, **values}
    config = TrainingConfig.from_dict(values)
    if "small_fraction" not in values and not _reads_any_side(config.architecture):
        config = replace(config, small_fraction=0.0)
    check_crops(config)
    return config


def check_crops(config: TrainingConfig) -> None:
    """Refuse small crops for a network that reads faces of one size only.

    Raises:
        OptionError: `small_fraction` is above 0 for such a network, or there is no network of this name.
    """
    if config.small_fraction and not _reads_any_side(config.architecture):
        raise OptionError(
            f"small_fraction has to be 0 for {config.architecture}, not {config.small_fraction:g}: it reads "
            "faces of one size only, and no small crops"
        )


def _reads_any_side(architecture: str) -> bool:
    if architecture in ARCHITECTURE_NAMES:
        return architecture not in ONE_SIDE_ONLY
    from mien.training.architectures import takes_any_side  # someone's own says it itself, which needs torch

    return takes_any_side(architecture)


def write_recipe(path: Path, config: TrainingConfig, comment: str) -> None:
    """Write a configuration as TOML that `resolve` reads, under a comment of one or more lines."""
    values = {name: value for name, value in config.to_dict().items() if value is not None}
    lines = [f"# {line}" for line in comment.splitlines()]
    # JSON writes numbers, truth values and text as TOML does.
    lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    atomic_write(path, "\n".join(lines) + "\n")


def _read_options(file: Path) -> dict[str, Any]:
    is_json = file.suffix.lower() == ".json"
    try:
        text = file.read_text(encoding="utf-8")
        return parse_object(text) if is_json else tomllib.loads(text)
    except OSError as error:
        raise OptionError(f"configuration {shown(file)} cannot be read: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        form = "cannot be used" if is_json else "is not TOML"
        raise OptionError(f"configuration {shown(file)} {form}: {error}") from error

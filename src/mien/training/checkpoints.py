"""Checkpoints: one safetensors file, its state as JSON in the header, replaced atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mien.core.errors import TrainingError
from mien.core.files import atomic_write, reason, shown

_STATE = "mien.state"


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write tensors and plain-JSON `state`; the file that stood there survives any failure."""
    atomic_write(path, checkpoint_bytes(tensors, state))


def checkpoint_bytes(tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> bytes:
    """Return the content of a checkpoint."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(plain, metadata={_STATE: json.dumps(state)})


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the state of a checkpoint.

    Raises:
        TrainingError: the file is missing, damaged, or not a checkpoint of Mien.
    """
    return parse_checkpoint(read_checkpoint(path), path)


def read_checkpoint(path: Path) -> bytes:
    """Return the file's content; TrainingError where it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, reason(error)) from error
    if not content:
        raise _unusable(path, "it is empty")
    return content


def parse_checkpoint(content: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the state in the content of a checkpoint; errors name its `path`."""
    try:
        tensors = load(content)
        length = int.from_bytes(content[:8], "little")
        state = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_STATE])
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise _unusable(path, error) from error
    return tensors, state


def _unusable(path: Path, error: Exception | str) -> TrainingError:
    return TrainingError(f"checkpoint {shown(path)} cannot be used ({error}); start the run anew")


def grouped(tensors: Mapping[str, Tensor], group: str) -> dict[str, Tensor]:
    """Return the tensors whose name starts with `group/`, without that part."""
    start = f"{group}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def prefixed(group: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors named `group/<name>`."""
    return {f"{group}/{name}": tensor for name, tensor in tensors.items()}

"""Checkpoints: one safetensors file, its state as JSON in the header, replaced atomically.

Every file of weights is read here, a run's own and a stranger's: limits first, then all of it once, so that a
digest and the tensors are of the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mien.core.errors import TrainingError
from mien.core.files import atomic_write, reason, shown
from mien.training._json import parse_object
from mien.training.schedules import EpochLog

MAX_BYTES = 2 << 30
"""Most bytes of a file of weights."""

_MAX_HEADER = 16 << 20  # ten thousand epochs of a run, or as many tensors, have less
_STATE = "mien.state"
# What networks are made of; PyTorch computes with few others, and cannot copy some at all.
_FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
_TYPES = (*_FLOATS, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)


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
        TrainingError: the file is missing, too large, damaged, or not a checkpoint of Mien.
    """
    return parse_checkpoint(read_weights_file(path), path)


def read_weights_file(path: Path) -> bytes:
    """Return the content of a file of weights.

    Raises:
        TrainingError: it cannot be read, is empty, or larger than `MAX_BYTES`.
    """
    try:
        if path.exists() and not path.is_file():
            raise _unusable(path, "it is not a file")
        if path.stat().st_size > MAX_BYTES:
            raise _unusable(path, f"it is larger than {MAX_BYTES >> 30} GiB")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        raise _unusable(path, reason(error) if isinstance(error, OSError) else error) from error
    if not content:
        raise _unusable(path, "it is empty")
    return content


def parse_tensors(content: bytes, path: Path) -> dict[str, Tensor]:
    """Return the tensors in the content of anyone's safetensors file; errors name its `path`.

    Raises:
        TrainingError: it is none, is damaged, or has tensors of a type that networks do not have.
    """
    _header(content, path)
    try:
        tensors = load(content)
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise _unusable(path, f"it is no safetensors file: {error}") from error
    for name, tensor in tensors.items():
        if tensor.dtype not in _TYPES:
            raise _unusable(path, f"{shown(name)} holds {tensor.dtype}, which no network here has")
    return tensors


def parse_checkpoint(content: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the state in the content of a checkpoint; errors name its `path`.

    Raises:
        TrainingError: as `parse_tensors`, or Mien did not write it, or its state is no JSON object.
    """
    tensors = parse_tensors(content, path)
    try:
        texts = parse_object(_header(content, path)).get("__metadata__", {})
        if _STATE not in texts:
            raise _unusable(
                path, f"its header has no {_STATE}, so Mien did not write it; --init takes others' weights"
            )
        return tensors, parse_object(texts[_STATE])
    except (ValueError, TypeError) as error:
        raise _unusable(path, f"the state in its header is damaged: {error}") from error


def check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights to start from that hold numbers which are none.

    Raises:
        TrainingError: names the first of them.
    """
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise _unusable(path, f"{shown(name)} holds numbers that are not finite")


def read_logs(state: Mapping[str, Any]) -> list[EpochLog]:
    """Return the log of every epoch that a run's checkpoint was made after.

    Raises:
        ValueError: they are missing, malformed, or not those of its epochs.
    """
    rows, epoch = state.get("logs"), state.get("epoch")
    if not isinstance(rows, list) or isinstance(epoch, bool) or not isinstance(epoch, int):
        raise ValueError("it lacks the number of epochs or their logs")
    logs = [EpochLog.from_dict(row) for row in rows]
    if not epoch or [log.epoch for log in logs] != list(range(1, epoch + 1)):
        raise ValueError(f"it was made after {epoch} epochs and has the logs of {len(logs)}")
    return logs


def check_tensors(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], what: str) -> None:
    """Refuse tensors that are not, by name and shape, those that are `wanted`.

    Raises:
        ValueError: names the first of them.
    """
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(
            f"{len(missing)} of {len(wanted)} tensors of {what} are missing, {missing[0]!r} first"
        )
    if unknown := [name for name in found if name not in wanted]:
        raise ValueError(f"{shown(unknown[0])} is no tensor of {what}")
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            raise ValueError(
                f"{name!r} of {what} has the shape {tuple(found[name].shape)}, not {tuple(tensor.shape)}"
            )


def _header(content: bytes, path: Path) -> bytes:
    """Return the JSON that a safetensors file begins with."""
    length = int.from_bytes(content[:8], "little")
    if not 0 < length <= len(content) - 8:
        raise _unusable(path, "it is no safetensors file, or only a part of one")
    if length > _MAX_HEADER:
        raise _unusable(path, f"its header is larger than {_MAX_HEADER >> 20} MB")
    return content[8 : 8 + length]


def _unusable(path: Path, why: Exception | str) -> TrainingError:
    return TrainingError(
        f"weights {shown(path)} cannot be used: {why}; get the file again, or "
        "remove it: a run then begins anew"
    )


def grouped(tensors: Mapping[str, Tensor], group: str) -> dict[str, Tensor]:
    """Return the tensors whose name starts with `group/`, without that part."""
    start = f"{group}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def prefixed(group: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors named `group/<name>`."""
    return {f"{group}/{name}": tensor for name, tensor in tensors.items()}

"""Weights that another program trained, to start MobileNetV2 or any network of the same names from.

Only safetensors are read: a pickle (.pth, .pt, .bin) can run code when it is opened.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from torch import Tensor

from mien.core.errors import OptionError, TrainingError
from mien.core.files import ensure_folder, shown
from mien.training.checkpoints import MAX_BYTES, check_finite, parse_tensors, read_weights_file
from mien.training.start import Start
from mien.zoo.download import Progress, check_address, download
from mien.zoo.store import data_folder

_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
# The first convolution, as torchvision and timm name it: what stands before it is a prefix of all names.
_FIRST = {"features.0.0.weight": "torchvision", "conv_stem.weight": "timm"}


def read_init(place: str | Path, sha256: str | None = None, progress: Progress | None = None) -> Start:
    """Read another program's weights from a safetensors file, or from an address that has one.

    A download is kept in Mien's data folder under its digest, so that a run that goes on needs no network.

    Args:
        place: a file, or an address that begins with https://.
        sha256: of the file, 64 hexadecimal digits; an address needs it, for a file it is checked if given.
        progress: called with the bytes that have arrived and the bytes expected.

    Raises:
        OptionError: the file is missing or no safetensors file, or the digest is missing or none.
        DownloadError: the address is not allowed, the transfer fails, or it brings another file.
        TrainingError: the file is damaged or too large, or not the one with this digest.
    """
    digest = None if sha256 is None else sha256.strip().lower()
    if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise OptionError(f"a SHA-256 has 64 hexadecimal digits; {sha256!r} is none")
    text = str(place)
    if "://" in text:
        if digest is None:
            raise OptionError(f"weights from an address need their digest; give the SHA-256 of {text}")
        path = _fetched(text, digest, progress)
    else:
        path = Path(place)
    if not path.is_file():
        raise OptionError(f"weights {shown(path)} are no file; check the path")
    content = read_weights_file(path)
    found = hashlib.sha256(content).hexdigest()
    if digest not in (None, found):
        raise TrainingError(f"{shown(path)} has the SHA-256 {found} and not {digest}; get the file again")
    weights, names = renamed(_tensors(content, path))
    # Only the name of the file, or the address without what may be a secret in it.
    source = f"https://{urlsplit(text).hostname}{urlsplit(text).path}" if "://" in text else path.name
    facts: dict[str, Any] = {"sha256": found, "source": source, "names": names}
    return Start(weights, facts, foreign=True)


def renamed(weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Return weights by the names of Mien's networks, and whose names they had.

    MobileNetV2 may have torchvision's names or timm's, behind any prefix ("backbone.", "module."); what does
    not stand behind it, such as the head of a face recogniser, is left out. Other names stay.
    """
    for last, whose in _FIRST.items():
        firsts = [name for name in weights if name == last or name.endswith(f".{last}")]
        if len(firsts) == 1:
            prefix = firsts[0].removesuffix(last)
            inner = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
            if whose == "timm":
                inner = _from_timm(inner)
            return {k: v for k, v in inner.items() if k.startswith("features.")}, whose
    return dict(weights), "own"


def _from_timm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename timm's `mobilenetv2_*` to torchvision's names: the same layers in the same order."""
    blocks = sorted(
        {tuple(map(int, m.groups())) for k in weights if (m := re.match(r"blocks\.(\d+)\.(\d+)\.", k))}
    )
    starts = {"conv_stem": "features.0.0", "bn1": "features.0.1"}
    for number, (stage, block) in enumerate(blocks, 1):
        here, there = f"blocks.{stage}.{block}", f"features.{number}.conv"
        if f"{here}.conv_pwl.weight" in weights:
            parts = {
                **{"conv_pw": "0.0", "bn1": "0.1", "conv_dw": "1.0"},
                **{"bn2": "1.1", "conv_pwl": "2", "bn3": "3"},
            }
        else:
            parts = {"conv_dw": "0.0", "bn1": "0.1", "conv_pw": "1", "bn2": "2"}
        starts |= {f"{here}.{old}": f"{there}.{new}" for old, new in parts.items()}
    end = f"features.{len(blocks) + 1}"
    starts |= {"conv_head": f"{end}.0", "bn2": f"{end}.1"}
    result = {}
    for name, tensor in weights.items():
        layer, _, kind = name.rpartition(".")
        if layer in starts:
            result[f"{starts[layer]}.{kind}"] = tensor
    return result


def _fetched(url: str, digest: str, progress: Progress | None) -> Path:
    check_address(url)
    path = data_folder() / "weights" / f"{digest}.safetensors"
    if not _is_kept(path, digest):
        ensure_folder(path.parent)
        download(url, path, sha256=digest, limit=MAX_BYTES, progress=progress, deadline=3600.0)
    return path


def _is_kept(path: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(read_weights_file(path)).hexdigest() == digest
    except TrainingError:
        return False


def _tensors(content: bytes, path: Path) -> dict[str, Tensor]:
    if content.startswith(_PICKLES):
        raise OptionError(
            f"{shown(path)} is a pickle, which can run code when it is opened, and is not read; where you "
            "trust it, write it anew with PyTorch: "
            "safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'weights.safetensors')"
        )
    tensors = parse_tensors(content, path)
    check_finite(tensors, path)
    return tensors

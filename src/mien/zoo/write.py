"""The files of a model, written so that no new one is left beside an old one."""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from mien.core.files import atomic_path, ensure_folder
from mien.zoo._entries import Entry
from mien.zoo.card import Card


def write_files(path: Path, content: bytes, card: Card, twin: bytes | None = None) -> Card:
    """Write a model, its card and, where given, its weights to fine-tune; return the card with the digests.

    All files are written beside their places and flushed before the first takes its place: a full disk
    leaves what was there. The card takes its place last, because it names the digests of the others: a
    process that is killed between two renames leaves a card that does not fit, which loading refuses.

    Args:
        path: of the model, `.onnx` or `.ort`; its folder is made where missing.
        content: the model.
        card: what it says of digests is replaced.
        twin: safetensors of the same weights.

    Raises:
        OutputError: a file cannot be written.
    """
    entry = Entry(card.name, path, "file")
    twin_digest = None if twin is None else hashlib.sha256(twin).hexdigest()
    digested = replace(card, sha256=hashlib.sha256(content).hexdigest(), safetensors_sha256=twin_digest)
    files = [(entry.card_path, digested.to_json().encode()), (entry.path, content)]
    if twin is not None:
        files.append((entry.twin_path, twin))
    ensure_folder(path.parent)
    with ExitStack() as writes:  # what is entered first is renamed last
        for place, part in files:
            _flushed(writes.enter_context(atomic_path(place)), part)
    return digested


def _flushed(path: Path, content: bytes) -> None:
    """Write and flush: some file systems only say so here that they are full."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

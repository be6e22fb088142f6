"""Damage to files and to what is in them, the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

HOSTILE: list[Any] = [
    None,
    True,
    0,
    -1,
    0.0,
    1e-320,
    1e308,
    10**400,
    "",
    "x",
    "x" * 9999,
    [],
    [[]],
    {},
    [0, 0],
]


def variants(tree: Any) -> Iterator[Any]:
    """Yield the tree with each of its parts in turn replaced by something hostile, or left out."""
    yield from HOSTILE
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        for variant in variants(tree[key]):
            copy = dict(tree) if isinstance(tree, dict) else list(tree)
            copy[key] = variant
            yield copy
        less = dict(tree) if isinstance(tree, dict) else list(tree)
        del less[key]
        yield less


def damaged(content: bytes, seed: int) -> bytes:
    """Return `content` with one to four bytes changed, some to what lengths and flags dislike."""
    generator = np.random.default_rng(seed)
    changed = bytearray(content)
    for place in generator.integers(0, len(content), 1 + seed % 4):
        changed[place] = generator.choice([0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF, generator.integers(256)])
    return bytes(changed)

"""Pictures that look the same: perceptual hashes, and pairs of them without comparing all with all.

The hash is the signs of the low frequencies of a cosine transform (Zauner, Implementation and Benchmarking
of Perceptual Image Hash Functions, 2010). Hashes that differ in few bits agree in one of several bands
(Norouzi et al., Fast Search in Hamming Space with Multi-Index Hashing, CVPR 2012), so that only pictures
with an equal band are compared, and then by their pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Side of the small pictures that are compared, in pixels."""

_LOW = 8  # frequencies each way
_BANDS = 7
_MOST_BITS = _BANDS - 1  # two hashes that differ in no more agree in a band
_LEAST_CORRELATION = 0.97  # of the small pictures' pixels
_MOST_NEIGHBOURS = 256  # in a band: equal hashes are linked in a chain, not each with each
_CHUNK = 1024


def hashes(small: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a 64-bit hash, uint64 (n,), of every small picture, uint8 (n, SIDE, SIDE)."""
    frequency = np.arange(_LOW)[:, None] * (2 * np.arange(SIDE)[None] + 1)
    basis = np.cos(np.pi * frequency / (2 * SIDE)).astype(np.float32)
    parts = [np.empty(0, np.uint64)]
    for start in range(0, len(small), _CHUNK):
        low = basis @ small[start : start + _CHUNK].astype(np.float32) @ basis.T
        low = low.reshape(len(low), -1)
        # The first one is the brightness, which says nothing of what is to be seen.
        bits = low > np.median(low[:, 1:], axis=1, keepdims=True)
        bits[:, 0] = False
        parts.append(np.packbits(bits, axis=1).view(np.uint64).ravel())
    return np.concatenate(parts)


def near_pairs(small: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return pairs of small pictures that look the same, int64 (pairs, 2), each pair once.

    Of many that all look the same, enough pairs come to link them.
    """
    hashed = hashes(small)
    width = 64 // _BANDS
    found = [np.empty((0, 2), np.int64)]
    for band in range(_BANDS):
        bits = 64 - band * width if band == _BANDS - 1 else width
        key = (hashed >> np.uint64(band * width)) & np.uint64((1 << bits) - 1)
        found.append(_pairs_in_band(key, hashed, small))
    return np.unique(np.concatenate(found), axis=0)


def _pairs_in_band(
    key: NDArray[np.uint64], hashed: NDArray[np.uint64], small: NDArray[np.uint8]
) -> NDArray[np.int64]:
    order = np.lexsort((hashed, key))
    key, hashed = key[order], hashed[order]
    found = [np.empty((0, 2), np.int64)]
    for shift in range(1, min(len(key), _MOST_NEIGHBOURS)):
        same = key[shift:] == key[:-shift]
        if not same.any():
            break
        close = same & (np.bitwise_count(hashed[shift:] ^ hashed[:-shift]) <= _MOST_BITS)
        first = np.flatnonzero(close)
        pairs = np.stack([order[first], order[first + shift]], axis=1)
        found.append(np.sort(pairs[_look_alike(small, pairs)], axis=1))
    return np.concatenate(found)


def _look_alike(small: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    parts = [np.empty(0, bool)]
    for start in range(0, len(pairs), _CHUNK):
        chosen = pairs[start : start + _CHUNK]
        a, b = (_centred(small[chosen[:, side]]) for side in (0, 1))
        product = (a * b).sum(1)
        # Plain pictures, which have no look of their own, are no near copies of anything.
        lengths = np.sqrt((a * a).sum(1) * (b * b).sum(1))
        parts.append((product >= _LEAST_CORRELATION * lengths) & (lengths > 0))
    return np.concatenate(parts)


def _centred(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    flat = small.reshape(len(small), -1).astype(np.float32)
    return np.asarray(flat - flat.mean(1, keepdims=True), np.float32)

"""Expressions in a curve of scores: when each began, was at its height, and was gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import find_peaks

_LEAST_RISE = 0.25  # of the score over what lies before and after
_FILTER_S = 0.2  # odd frames shorter than half of this are no expression
_MOST_FILTERED = 25  # frames
_LOW, _HALF = 0.1, 0.5  # of the height: where a rise has surely begun, and where it is half done
_NEARLY = 0.8  # of the height: most of a rise
_FULL = 0.02  # of the height that may be missing at the apex
_ONE_DEVIATION = 0.6827  # of what is normally distributed lies so near
_NOISES = 3.0  # deviations that are still taken for noise
_QUIET = 0.03  # noise, as a share of the height, from which on a whole rise is looked at
_TOP = 0.1  # of the height: frames so near to the top tell how high it is

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """An expression in a curve: places of its onset, apex and offset, and the score at the apex."""

    onset: int
    apex: int
    offset: int
    score: float


def find_events(times: Curve, scores: Curve, stated: NDArray[np.bool_]) -> list[Found]:
    """Return the expressions of one label in a stretch of a track without gaps.

    A median filter takes out single odd frames, and keeps edges where they are. Every peak that stands
    out by a quarter (its prominence) and is stated as the emotion at its top is an expression. Its onset
    is where the straight line through a tenth and a half of the rise leaves the level before, its
    offset the same of the fall; the apex is the first frame at full height.

    Args:
        times: seconds, rising, float64 (frames,).
        scores: of the label, in [0, 1], float64 (frames,).
        stated: the label is the stated emotion, bool (frames,).
    """
    if len(scores) == 0:
        return []
    smooth = median_filter(scores, size=_window(times), mode="nearest")
    noise = float(np.quantile(np.abs(scores - smooth), _ONE_DEVIATION))
    # What is there from the first frame or until the last one stands out from nothing.
    padded = np.concatenate([[0.0], smooth, [0.0]])
    least = max(_LEAST_RISE, 2 * noise)
    peaks, _ = find_peaks(padded, prominence=least)
    places = _parted(smooth, (peaks - 1).tolist(), least)
    return list(_measured(smooth, stated, places, noise)) if places else []


def _parted(smooth: Curve, peaks: list[int], least: float) -> list[int]:
    """Leave out peaks that no valley parts from the one before: peaks of one height are all prominent."""
    kept: list[int] = []
    for peak in peaks:
        if kept and min(smooth[kept[-1]], smooth[peak]) - smooth[kept[-1] : peak].min() < least:
            kept[-1] = max(kept[-1], peak, key=lambda place: float(smooth[place]))
        else:
            kept.append(peak)
    return kept


def _window(times: Curve) -> int:
    """Return how many frames the filter takes: an odd number, 1 where frames are far apart."""
    if len(times) < 3:
        return 1
    usual = float(np.median(np.diff(times)))
    frames = _MOST_FILTERED if usual <= 0 else min(_MOST_FILTERED, _FILTER_S / usual)
    return max(1, 2 * (int(frames) // 2) + 1) if frames >= 2 else 1


def _measured(smooth: Curve, stated: NDArray[np.bool_], peaks: list[int], noise: float) -> Iterator[Found]:
    valleys = [before + int(smooth[before:after].argmin()) for before, after in pairwise(peaks)]
    bounds = zip(peaks, [0, *valleys], [*valleys, len(smooth) - 1], strict=True)
    for peak, low, high in bounds:
        part, place = smooth[low : high + 1], peak - low
        top = _top(part, noise)
        near = part >= top - max(_TOP * top, noise)
        if not stated[low : high + 1][near].mean() >= 0.5:
            continue
        apex = _apex(part, place, top, noise)
        onset = min(apex, _beginning(part[: place + 1], top, noise))
        fall = part[place:][::-1]
        offset = max(apex, len(part) - 1 - _beginning(fall, top, noise))
        yield Found(low + onset, low + apex, low + offset, float(min(1.0, part[apex])))


def _top(part: Curve, noise: float) -> float:
    """Return how high it stands: the highest frame of many is too high where there is noise."""
    highest = float(part.max())
    near = part[part >= highest - max(_TOP * (highest - float(part.min())), noise)]
    return float(np.median(near)) if noise > 0 else highest


def _apex(part: Curve, place: int, top: float, noise: float) -> int:
    full = top - max(_FULL * (top - float(part.min())), noise / 2)
    half = _last_below(part[: place + 1], _level(part[: place + 1], top, noise), top, _HALF)
    return half + 1 + int(np.argmax(part[half + 1 : place + 1] >= min(full, part[place])))


def _beginning(rise: Curve, top: float, noise: float) -> int:
    """Return the place in `rise`, which ends at the peak, at which it leaves the level before."""
    base = _level(rise, top, noise)
    half = _last_below(rise, base, top, _HALF)
    if half < 0 or top - base < _LEAST_RISE:
        return 0  # it was there before
    share = min(0.4, max(_LOW, 2 * noise / max(top - base, 1e-9)))
    low = _last_below(rise[: half + 1], base, top, share)
    if low < 0:
        return 0
    if noise / max(top - base, 1e-9) > _QUIET:
        place = _fitted(rise, low, half, base, top)
    else:
        first, second = _crossing(rise, low, base, top, share), _crossing(rise, half, base, top, _HALF)
        place = first - (second - first) * share / (_HALF - share)
    return min(half + 1, max(0, round(place)))


def _fitted(rise: Curve, low: int, half: int, base: float, top: float) -> float:
    """Return where a straight line through the whole rise leaves the level before, for noisy curves."""
    # Up to the first frame near the top: later ones may be lower again.
    high = half + 1 + int(np.argmax(rise[half + 1 :] >= base + _NEARLY * (top - base)))
    part = rise[low : high + 1]
    slope, at = np.polyfit(np.arange(len(part)), part, 1)
    return low + float((base - at) / slope) if slope > 0 else float(low)


def _level(rise: Curve, top: float, noise: float) -> float:
    """Return the level before a rise: the lowest frames, not the lowest one."""
    lowest = float(rise.min())
    return float(np.median(rise[rise <= lowest + max(_LOW * (top - lowest), _NOISES * noise)]))


def _last_below(rise: Curve, base: float, top: float, share: float) -> int:
    """Return the last place that is below a share of the height, -1 where none is."""
    below = np.flatnonzero(rise < base + share * (top - base))
    return int(below[-1]) if len(below) else -1


def _crossing(rise: Curve, place: int, base: float, top: float, share: float) -> float:
    """Return where between `place` and the next the curve passes a share of its height."""
    if place + 1 >= len(rise):
        return float(place)
    level, here, there = base + share * (top - base), float(rise[place]), float(rise[place + 1])
    return place + (min(1.0, max(0.0, (level - here) / (there - here))) if there > here else 0.0)

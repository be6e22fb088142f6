"""Which parts of a face a model's output rests on: Grad-CAM and occlusion, on ONNX and without torch."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.pipeline.classify import classify
from mien.zoo.parts import Features
from mien.zoo.registry import Model

PATCH = 1 / 4  # of the face's sides
STRIDE = 1 / 16
# Of a feature map's typical value: above the rounding of 32-bit arithmetic, below the bends of most networks.
_NUDGE = 0.01
_NUMBERS_AT_ONCE = 8_000_000  # 32 MB


@dataclass(frozen=True, slots=True, eq=False)
class GradCam:
    """Where each label's evidence lies in the last feature maps.

    Attributes:
        layer: name of the feature maps in the file.
        channels: how many there are.
        maps: float64 (labels, height, width), in card order, at least 0; in parts of the logit.
    """

    layer: str
    channels: int
    maps: NDArray[np.float64]

    def over(self, label: int, width: int, height: int) -> NDArray[np.float64]:
        """Return the map of the label number `label` over a crop, float64 (height, width), in [0, 1]."""
        enlarged = _enlarged(self.maps[label], width, height)
        peak = enlarged.max()
        return enlarged / peak if peak > 0 else enlarged


def grad_cam(features: Features) -> GradCam:
    """Return Grad-CAM of every label (Selvaraju et al., ICCV 2017).

    The weight of a channel is the mean slope of the label's logit over the places of its map. It is measured:
    the whole channel is nudged up and down, and the part of the network behind it run both times. That is the
    slope itself where the part is linear, such as a mean followed by a dense layer, and a central difference
    where it bends.
    """
    maps = features.values
    channels = len(maps)
    step = np.float32(_NUDGE * np.sqrt(np.mean(np.square(maps, dtype=np.float64))) or 1.0)
    at_once = max(1, _NUMBERS_AT_ONCE // (2 * maps.size))
    weights = []
    for first in range(0, channels, at_once):
        chosen = range(first, min(first + at_once, channels))
        nudged = np.repeat(maps[np.newaxis], 2 * len(chosen), axis=0)
        for place, channel in enumerate(chosen):
            nudged[2 * place, channel] += step
            nudged[2 * place + 1, channel] -= step
        logits = features.logits(nudged)
        weights.append((logits[0::2] - logits[1::2]) / (2.0 * step))
    slopes = np.concatenate(weights) / maps[0].size
    evidence = np.tensordot(slopes.T, maps.astype(np.float64), axes=1)
    return GradCam(features.name, channels, np.maximum(evidence, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Occlusion:
    """How the probability of a label changes where a grey patch covers part of the face.

    Attributes:
        label: index into the card's labels.
        patch: width and height of the patch, in pixels of the crop.
        drops: float64 (rows, columns), the probability without a patch less that with it at each place.
        map: float64 (height, width), the mean drop of the patches that cover each pixel of the crop.
    """

    label: int
    patch: tuple[int, int]
    drops: NDArray[np.float64]
    map: NDArray[np.float64]


def occlusion(model: Model, crop: NDArray[np.uint8], label: int) -> Occlusion:
    """Return what covering parts of a face does to the probability of a label (Zeiler and Fergus, ECCV 2014).

    A patch of the crop's mean colour and a quarter of its sides moves over it in steps of a sixteenth.

    Args:
        model: the classifier.
        crop: uint8 (height, width) grey or (height, width, 3) RGB, as the card says.
        label: index into the card's labels.
    """
    height, width = crop.shape[:2]
    patch_height, patch_width = max(1, round(height * PATCH)), max(1, round(width * PATCH))
    tops, lefts = _places(height, patch_height), _places(width, patch_width)
    covered = np.repeat(crop[np.newaxis], len(tops) * len(lefts) + 1, axis=0)
    fill = np.rint(crop.mean(axis=(0, 1))).astype(np.uint8)
    places = [(top, left) for top in tops for left in lefts]
    for picture, (top, left) in zip(covered[1:], places, strict=True):
        picture[top : top + patch_height, left : left + patch_width] = fill
    probabilities = classify(model, covered)[:, label]
    drops = probabilities[0] - probabilities[1:]
    total, times = np.zeros((height, width)), np.zeros((height, width))
    for drop, (top, left) in zip(drops, places, strict=True):
        area = np.s_[top : top + patch_height, left : left + patch_width]
        total[area] += drop
        times[area] += 1
    return Occlusion(label, (patch_width, patch_height), drops.reshape(len(tops), len(lefts)), total / times)


def _places(side: int, patch: int) -> list[int]:
    """Return where patches begin: even steps from edge to edge."""
    steps = -(-(side - patch) // max(1, round(side * STRIDE)))
    return [int(place) for place in np.unique(np.linspace(0, side - patch, steps + 1).round())]


def _enlarged(values: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float64)

"""Damaged faces: seven corruptions of one fixed strength each, so that figures can be compared.

| name           | what happens to a face of side s                                                     |
| -------------- | ------------------------------------------------------------------------------------ |
| blur           | Gaussian blur, standard deviation s / 32 (1.5 pixels at 48)                          |
| noise          | Gaussian noise on every pixel, standard deviation 20 grey levels                     |
| dark           | brightness halved                                                                    |
| gamma          | gamma 2: 255 · (grey / 255)²                                                         |
| jpeg           | compressed as JPEG of quality 15                                                     |
| occlusion      | a black square with sides of 3/8 s (18 pixels at 48), anywhere inside                |
| low_resolution | shrunk to a third of its sides (16 pixels at 48), areas averaged, enlarged bilinearly |

The same faces in the same order with the same seed give the same pixels. The idea of measuring under
corruptions of fixed strength is Hendrycks and Dietterich's (ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mien.core.errors import OptionError
from mien.datasets import FaceDataset
from mien.evaluation import metrics
from mien.evaluation.predict import Progress, check_faces, logits_of, targets_in_card_order
from mien.zoo.registry import Model

Faces = NDArray[np.uint8]

BLUR = 1 / 32
NOISE = 20.0
DARK = 0.5
GAMMA = 2.0
JPEG_QUALITY = 15
OCCLUSION = 3 / 8
LOW_RESOLUTION = 1 / 3
# A float copy of a thousand faces is small; one of a whole data set need not be.
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class CorruptionResult:
    """The accuracy on faces damaged in one way, with its Wilson 95 % interval."""

    name: str
    severity: str
    accuracy: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return {
            "severity": self.severity,
            "accuracy": self.accuracy,
            "low": self.low,
            "high": self.high,
        }


def corrupt(images: Faces, name: str, seed: int = 0) -> Faces:
    """Return damaged copies of faces.

    Args:
        images: uint8 grey (faces, height, width).
        name: one of `SEVERITIES`.
        seed: of the noise and of the place of the occlusion.

    Returns:
        uint8 (faces, height, width), new memory.

    Raises:
        OptionError: there is no such corruption.
    """
    if name not in SEVERITIES:
        raise OptionError(f"there is no corruption {name!r}; choose one of {', '.join(SEVERITIES)}")
    damage, generator = _DAMAGES[name], np.random.default_rng(seed)
    parts = [damage(images[i : i + _CHUNK], generator) for i in range(0, len(images), _CHUNK)]
    return np.concatenate(parts) if parts else images.copy()


def measure_corruptions(
    model: Model, data: FaceDataset, *, seed: int = 0, progress: Progress | None = None
) -> tuple[CorruptionResult, ...]:
    """Return the accuracy of `model` on `data` under every corruption, in the order of `SEVERITIES`.

    Raises:
        DatasetError: no faces, a label the model does not know, or faces of another size than it reads.
    """
    check_faces(data, model.card)
    true = targets_in_card_order(data, model.card)
    results = []
    for done, (name, severity) in enumerate(SEVERITIES.items(), 1):
        logits = logits_of(model, corrupt(data.images, name, seed))
        share = metrics.accuracy(logits.argmax(1), true)
        results.append(CorruptionResult(name, severity, share, *metrics.wilson_interval(share, len(true))))
        if progress is not None:
            progress(done, len(SEVERITIES))
    return tuple(results)


def mean_relative_drop(clean: float, results: Sequence[CorruptionResult]) -> float:
    """Return by which part of the accuracy on whole faces that on damaged ones is lower, on the mean.

    Hendrycks and Dietterich (ICLR 2019) give errors relative to another network's; this needs none.
    """
    return float(np.mean([1 - result.accuracy / clean for result in results])) if clean else 0.0


def _blur(images: Faces, _: np.random.Generator) -> Faces:
    spread = min(images.shape[1:]) * BLUR
    blurred = ndimage.gaussian_filter(images, (0, spread, spread), output=np.float64, mode="nearest")
    return _rounded(blurred)


def _noise(images: Faces, generator: np.random.Generator) -> Faces:
    return _rounded(images + generator.normal(0, NOISE, images.shape))


def _dark(images: Faces, _: np.random.Generator) -> Faces:
    return _looked_up(images, np.arange(256) * DARK)


def _gamma(images: Faces, _: np.random.Generator) -> Faces:
    return _looked_up(images, 255 * (np.arange(256) / 255) ** GAMMA)


def _jpeg(images: Faces, _: np.random.Generator) -> Faces:
    damaged = np.empty_like(images)
    for face, out in zip(images, damaged, strict=True):
        content = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        out[:] = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
    return damaged


def _occlusion(images: Faces, generator: np.random.Generator) -> Faces:
    faces, height, width = images.shape
    side = max(1, round(min(height, width) * OCCLUSION))
    top = generator.integers(0, height - side + 1, (faces, 1, 1))
    left = generator.integers(0, width - side + 1, (faces, 1, 1))
    down, across = np.arange(height)[:, np.newaxis] - top, np.arange(width) - left
    hidden = (down >= 0) & (down < side) & (across >= 0) & (across < side)
    return np.where(hidden, np.uint8(0), images)


def _low_resolution(images: Faces, _: np.random.Generator) -> Faces:
    height, width = images.shape[1:]
    small = (max(1, round(width * LOW_RESOLUTION)), max(1, round(height * LOW_RESOLUTION)))
    damaged = np.empty_like(images)
    for face, out in zip(images, damaged, strict=True):
        shrunk = cv2.resize(face, small, interpolation=cv2.INTER_AREA)
        out[:] = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
    return damaged


def _looked_up(images: Faces, table: NDArray[np.floating]) -> Faces:
    return np.asarray(_rounded(table)[images])


def _rounded(values: NDArray[np.floating]) -> Faces:
    whole: Faces = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return whole


_DAMAGES: dict[str, Callable[[Faces, np.random.Generator], Faces]] = {
    "blur": _blur,
    "noise": _noise,
    "dark": _dark,
    "gamma": _gamma,
    "jpeg": _jpeg,
    "occlusion": _occlusion,
    "low_resolution": _low_resolution,
}
SEVERITIES: dict[str, str] = {
    "blur": "Gaussian, standard deviation 1/32 of the side",
    "noise": f"Gaussian, standard deviation {NOISE:g} grey levels",
    "dark": "half the brightness",
    "gamma": f"gamma {GAMMA:g}",
    "jpeg": f"JPEG of quality {JPEG_QUALITY}",
    "occlusion": "black square of 3/8 of the side, anywhere",
    "low_resolution": "a third of the sides, enlarged again",
}

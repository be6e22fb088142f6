"""Why a model reads a face as it does: layers, Grad-CAM and occlusion, as numbers; on ONNX, without torch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core import images
from mien.core.emotions import parse_emotion
from mien.core.errors import ImageError, OptionError
from mien.core.files import shown
from mien.core.option_table import from_mapping
from mien.core.options import AnalysisOptions
from mien.core.results import Face, ImageAnalysis
from mien.core.version import __version__
from mien.datasets.load import squared
from mien.evaluation.attribution import GradCam, Occlusion, grad_cam, occlusion
from mien.evaluation.predict import Progress
from mien.pipeline.analyzer import Analyzer
from mien.pipeline.classify import classify, to_batch
from mien.pipeline.preprocess import preprocess
from mien.zoo.parts import Response, take_apart
from mien.zoo.registry import Model, find, open_entry
from mien.zoo.session import read_weights

STRONGEST = 16
_DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class FaceExplanation:
    """What a model sees in one face.

    Attributes:
        number: of the face in its picture, from 1, the largest first.
        face: as `mien analyze` gives it, or None where the picture is a crop.
        crop: as the network read it, uint8 (height, width) grey or (height, width, 3) RGB.
        scores: the calibrated probability of every label, in card order.
        emotion: the likeliest label, or None where it is below the threshold.
        label: that is explained.
        responses: of every convolution and pooling layer, in the order they run.
        grad_cam: of every label, or None where the network has no last feature maps.
        occlusion: of the explained label.
    """

    number: int
    face: Face | None
    crop: NDArray[np.uint8]
    scores: Mapping[str, float]
    emotion: str | None
    label: str
    responses: tuple[Response, ...]
    grad_cam: GradCam | None
    occlusion: Occlusion

    def to_dict(self, strongest: int = STRONGEST) -> dict[str, Any]:
        """Return plain types only, with so many of the strongest channels of each layer."""
        labels = list(self.scores)
        return {
            "face": self.number,
            "box": None if self.face is None else self.face.box.to_dict(),
            "emotion": self.emotion,
            "scores": dict(self.scores),
            "explained": self.label,
            "grad_cam": None if self.grad_cam is None else self._grad_cam(self.grad_cam, labels),
            "occlusion": {
                "label": self.label,
                "patch": list(self.occlusion.patch),
                "drops": _rounded(self.occlusion.drops),
                "peak": _peak(self.occlusion.map),
                "largest_drop": round(float(self.occlusion.map.max()), _DIGITS),
            },
            "layers": [_layer(response, strongest) for response in self.responses],
        }

    def _grad_cam(self, found: GradCam, labels: Sequence[str]) -> dict[str, Any]:
        height, width = self.crop.shape[:2]
        return {
            "layer": found.layer,
            "shape": [found.channels, *found.maps.shape[1:]],
            "maps": {label: _rounded(found.maps[index]) for index, label in enumerate(labels)},
            "peaks": {label: _peak(found.over(index, width, height)) for index, label in enumerate(labels)},
        }


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What a model sees in the faces of one picture.

    Attributes:
        model: that was explained.
        source: the picture's name, or None for an array.
        image: the whole picture, uint8 (height, width, 3) RGB.
        analysis: every face, or None where the picture is a crop.
        faces: those that are explained, the largest first.
        threshold: least confidence of a stated emotion.
    """

    model: Model
    source: str | None
    image: NDArray[np.uint8]
    analysis: ImageAnalysis | None
    faces: tuple[FaceExplanation, ...]
    threshold: float

    def to_dict(self, strongest: int = STRONGEST) -> dict[str, Any]:
        """Return plain types only, with so many of the strongest channels of each layer."""
        return {
            "mien": __version__,
            "model": self.model.reference.to_dict(),
            "source": self.source,
            "crop": self.analysis is None,
            "methods": {
                "grad_cam": "Selvaraju et al., ICCV 2017; slopes of the logits, measured; in logits",
                "occlusion": "Zeiler and Fergus, ECCV 2014; fall of the probability under a grey patch",
            },
            "peaks": "x, y in pixels of the crop from its top left; null where nothing speaks for the label",
            "faces": [face.to_dict(strongest) for face in self.faces],
        }


def explain(
    source: images.ImageSource,
    *,
    model: str | os.PathLike[str] | None = None,
    label: str | None = None,
    face: int | None = None,
    crop: bool | None = None,
    threads: int | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    **options: Any,
) -> Explanation:
    """Return what a model sees in the faces of a picture: layers, Grad-CAM and occlusion.

    Args:
        source: what `mien.analyze` takes: a path, bytes, a binary file, a Pillow image or an RGB array.
        model: a name, or the path of an ONNX file with its card; None is the default model.
        label: to explain, by any name that is known for it; the likeliest of each face without it.
        face: number of the only face to explain, from 1, the largest first; without it all of them.
        crop: whether the picture is one face that is cut out already, as in a data set. Without it that is
            so where the picture has just the size that the model reads.
        threads: of the network.
        device: "auto", "cpu" or "cuda".
        progress: called with the faces done and the faces there are.
        **options: any field of AnalysisOptions, such as detector="haar".

    Raises:
        ImageError: the picture cannot be read, or shows no face.
        ModelError: the model cannot be used, or is no ONNX file with layers in it.
        OptionError: an unknown label or option, or a face that is not there.
    """
    chosen = from_mapping(AnalysisOptions, options)
    entry = find(model)
    loaded = open_entry(entry, threads=threads, device=device)
    content = read_weights(entry.path)
    wanted = None if label is None else _label(label, loaded)
    image = images.load(source, max_pixels=chosen.max_pixels)
    name = images.describe_source(source)
    if crop is None:
        crop = image.shape[:2] == (loaded.card.input.height, loaded.card.input.width)
    if crop:
        analysis, crops = None, _as_crop(image, loaded, chosen)
    else:
        analysis, crops = Analyzer(chosen, model=loaded).analyze_with_crops(image)
        if not analysis.faces:
            what = shown(name) if name else "the picture"
            raise ImageError(
                f"no face was found in {what}; if it is a face that is cut out already, say so: --crop, "
                "in Python crop=True"
            )
    numbers = _numbers(face, len(crops))
    threshold = loaded.card.threshold if chosen.threshold is None else chosen.threshold
    faces = []
    for done, number in enumerate(numbers, 1):
        found = None if analysis is None else analysis.faces[number - 1]
        faces.append(_explained(loaded, content, crops[number - 1], number, found, wanted, threshold))
        if progress is not None:
            progress(done, len(numbers))
    return Explanation(loaded, name, image, analysis, tuple(faces), threshold)


def _label(word: str, model: Model) -> int:
    labels = model.card.labels
    if word in labels:
        return labels.index(word)
    known = parse_emotion(word)
    if known is not None and known in labels:
        return labels.index(known)
    raise OptionError(
        f"model {model.name!r} does not know the emotion {word!r}; choose from {', '.join(labels)}"
    )


def _numbers(face: int | None, count: int) -> Sequence[int]:
    if face is None:
        return range(1, count + 1)
    if isinstance(face, bool) or not isinstance(face, int) or not 1 <= face <= count:
        there = "has 1 face" if count == 1 else f"has {count} faces"
        raise OptionError(
            f"there is no face {face!r}: the picture {there}, numbered from 1, the largest first"
        )
    return [face]


def _as_crop(image: NDArray[np.uint8], model: Model, options: AnalysisOptions) -> NDArray[np.uint8]:
    """Return a picture that is a face as the network reads it, uint8 (1, …)."""
    reads = model.card.input
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    if reads.colour == "rgb":
        planes = [_resized(np.ascontiguousarray(image[..., c]), reads.width, reads.height) for c in range(3)]
        face = np.stack(planes, axis=-1)
    else:
        face = _resized(grey, reads.width, reads.height)
    return preprocess(face[np.newaxis], median_size=options.median, equalise=options.clahe)


def _resized(plane: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """As data sets resize; a network that reads no squares gets the whole picture."""
    if width == height:
        return squared(plane, width)
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _explained(
    model: Model,
    content: bytes,
    crop: NDArray[np.uint8],
    number: int,
    face: Face | None,
    wanted: int | None,
    threshold: float,
) -> FaceExplanation:
    probabilities = classify(model, crop[np.newaxis])[0]
    top = int(probabilities.argmax())
    parts = take_apart(content, to_batch(crop[np.newaxis], model.card))
    label = top if wanted is None else wanted
    labels = model.card.labels
    return FaceExplanation(
        number=number,
        face=face,
        crop=crop,
        scores=dict(zip(labels, probabilities.tolist(), strict=True)),
        emotion=labels[top] if probabilities[top] >= threshold else None,
        label=labels[label],
        responses=parts.responses,
        grad_cam=None if parts.features is None else grad_cam(parts.features),
        occlusion=occlusion(model, crop, label),
    )


def strongest(response: Response, count: int) -> list[int]:
    """Return the channels of the strongest mean response, in size, at most `count`; the strongest first."""
    sizes = np.abs(response.values).mean(axis=(1, 2))
    return [int(channel) for channel in np.argsort(-sizes, kind="stable")[:count]]


def _layer(response: Response, count: int) -> dict[str, Any]:
    values = response.values
    return {
        "name": response.name,
        "operators": list(response.operators),
        "shape": list(values.shape),
        "strongest": [
            {
                "channel": channel,
                "mean": round(float(values[channel].mean()), _DIGITS),
                "largest": round(float(values[channel].max()), _DIGITS),
            }
            for channel in strongest(response, count)
        ],
    }


def _rounded(values: NDArray[np.floating]) -> list[list[float]]:
    rows: list[list[float]] = np.round(values, _DIGITS).tolist()
    return rows


def _peak(values: NDArray[np.floating]) -> list[int] | None:
    if not values.max() > 0:
        return None
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return [int(column), int(row)]

"""The steps from pixels to faces: a photo takes them in a row, a film takes some of them rarely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mien.core.options import AnalysisOptions
from mien.core.results import Face, Quality, Scores
from mien.pipeline import quality
from mien.pipeline.align import crops
from mien.pipeline.classify import classify
from mien.pipeline.detect import Detection, Detector
from mien.pipeline.preprocess import preprocess
from mien.zoo.registry import Model


@dataclass(frozen=True)
class Steps:
    """A detector and a model with the options they are used with; safe between threads.

    Attributes:
        detector: finds faces.
        model: reads crops.
        options: of both.
    """

    detector: Detector
    model: Model
    options: AnalysisOptions

    @property
    def threshold(self) -> float:
        """The least confidence of a stated emotion: the options', or the card's."""
        stated = self.options.threshold
        return self.model.card.threshold if stated is None else stated

    @cached_property
    def _upright(self) -> AnalysisOptions:
        return replace(self.options, rotate=False)

    def detect(self, image: NDArray[np.uint8], *, turned: bool = True) -> list[Detection]:
        """Return the faces of `image`, uint8 (H, W, 3) RGB, largest first.

        `turned` False spares the tries with the picture on its side, whatever the options say.
        """
        return self.detector.detect(image, self.options if turned else self._upright)

    def cut(
        self, image: NDArray[np.uint8], detections: Sequence[Detection]
    ) -> tuple[NDArray[np.uint8], list[Quality]]:
        """Return the crops of `mien.pipeline.align.crops`, unfiltered, and the quality of each face."""
        cut = crops(image, detections, self.model.card)
        pairs = zip(detections, cut, strict=True)
        return cut, [quality.measure(face.box, crop, face.landmarks) for face, crop in pairs]

    def filter(self, cut: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return crops as the network reads them, after the filters of the options."""
        return preprocess(cut, median_size=self.options.median, equalise=self.options.clahe)

    def score(self, filtered: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return calibrated probabilities, float64 (faces, labels), of filtered crops."""
        return classify(self.model, filtered, tta=self.options.tta)

    def face(self, detection: Detection, measured: Quality, probabilities: Sequence[float]) -> Face:
        """Put a face together; it is uncertain where no probability reaches the threshold."""
        scores = dict(zip(self.model.card.labels, probabilities, strict=True))
        top = max(scores, key=scores.__getitem__)
        return Face(
            box=detection.box,
            scores=Scores(scores),
            emotion=top if scores[top] >= self.threshold else None,
            quality=measured,
            detection_score=detection.score,
            landmarks=detection.landmarks,
        )

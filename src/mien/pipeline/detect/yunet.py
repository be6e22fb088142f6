"""YuNet through OpenCV: fast, with five landmarks.

Wu, Peng, Yu: YuNet: A Tiny Millisecond-level Face Detector. Machine Intelligence Research 20, 2023.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ModelError
from mien.pipeline.detect._pool import Pool
from mien.pipeline.detect.base import BoxRule, Candidate

# Medians on FER2013 training faces; `python benchmarks/face_geometry.py` measures them again.
YUNET_RULE = BoxRule(5.5, -1.7, 36.7, 48.1)

_OVERLAP = 0.3
_MOST = 5000


class YuNetBackend:
    """The network in the ONNX file at `path`."""

    name = "yunet"
    rule = YUNET_RULE
    threshold = 0.7
    margin = 0.0

    def __init__(self, path: Path) -> None:
        try:
            # Through bytes, because OpenCV cannot open every path that Python can.
            self._weights = np.frombuffer(path.read_bytes(), np.uint8)
        except OSError as error:
            raise ModelError(f"detector file {str(path)!r} cannot be read: {error.strerror}") from error
        try:
            self._pool: Pool[Any] = Pool(self._make)
        except cv2.error as error:
            raise ModelError(
                f"detector file {str(path)!r} is not a YuNet network; run `mien models pull yunet` again"
            ) from error

    def _make(self) -> Any:
        return cv2.FaceDetectorYN.create(
            "onnx", self._weights, np.empty(0, np.uint8), (320, 320), self.threshold, _OVERLAP, _MOST
        )

    def find(self, image: NDArray[np.uint8], threshold: float, min_side: float) -> list[Candidate]:
        """Return the faces of `image`, uint8 (H, W, 3) RGB."""
        height, width = image.shape[:2]
        blue_first = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        with self._pool.borrow() as network:
            network.setInputSize((width, height))
            network.setScoreThreshold(threshold)
            _, rows = network.detect(blue_first)
        if rows is None:
            return []
        return [_candidate(row) for row in rows.astype(np.float64) if np.isfinite(row).all()]


def _candidate(row: NDArray[np.float64]) -> Candidate:
    left, top, width, height = (float(v) for v in row[:4])
    score = float(np.clip(row[14], 0.0, 1.0))
    return Candidate((left, top, width, height), score, landmarks=row[4:14].reshape(5, 2))

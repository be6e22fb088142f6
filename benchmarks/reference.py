"""The job done as reference system R3 does it: what users have today.

Haar with scale 1.3 and 5 neighbours on the whole picture, each box resized to 48×48 and classified by a
call of its own. Same OpenCV, same ONNX Runtime, same network as Mien, so that only the way differs.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mien.zoo.registry import Model


class Reference:
    def __init__(self, model: Model) -> None:
        self._cascade = cv2.CascadeClassifier(
            str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml")
        )
        self._model = model

    def analyze(self, content: bytes) -> list[tuple[tuple[int, int, int, int], str, float]]:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        card, results = self._model.card, []
        for x, y, w, h in self._cascade.detectMultiScale(grey, 1.3, 5):
            face = cv2.resize(grey[y : y + h, x : x + w], (card.input.width, card.input.height))
            batch = ((face[None, None] / 255.0 - card.input.mean) / card.input.std).astype(np.float32)
            logits = self._model.session.run(batch)[0].astype(np.float64)
            powers = np.exp(logits - logits.max())
            scores = powers / powers.sum()
            top = int(scores.argmax())
            results.append(((int(x), int(y), int(w), int(h)), card.labels[top], float(scores[top])))
        return results

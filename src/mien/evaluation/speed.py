"""How long a model takes for one face."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.predict import logits_of
from mien.zoo.registry import Model

FACES = 100
WARM_UP = 5


def milliseconds_per_face(model: Model, images: NDArray[np.uint8], faces: int = FACES) -> float:
    """Return the median time of a call with one face, from grey pixels to logits, in milliseconds.

    Args:
        model: to compare models, load it with `threads=1`.
        images: uint8 grey (faces, height, width), one or more; taken in turn.
        faces: how many calls are timed, after five that are not.
    """
    taken = []
    for number in range(-WARM_UP, faces):
        face = images[number % len(images)][np.newaxis]
        begin = time.perf_counter()
        logits_of(model, face)
        if number >= 0:
            taken.append(time.perf_counter() - begin)
    return float(np.median(taken) * 1000)

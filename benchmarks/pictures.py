"""The pictures that are measured on, made from the packaged portraits: real faces at known places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import mien
from mien.core import images

SAMPLES = Path(mien.__file__).parent / "samples"
# Where the face lies in each portrait: x, y, width, height, from the brow to below the chin.
PORTRAITS = {"eileen-collins.jpg": (172, 64, 104, 126), "grace-hopper.jpg": (160, 105, 205, 245)}


def moving_faces(
    width: int, height: int, faces: int, frames: int, face_height: int = 150
) -> Iterator[np.ndarray]:
    """Yield frames, uint8 (height, width, 3) RGB, in which portraits in a row sway and nod a little."""
    still = images.load(photo(width, height, faces, face_height)[0])
    back = cv2.GaussianBlur(still, (0, 0), 25)
    for number in range(frames):
        canvas = back.copy()
        for face in range(faces):
            left, right = round(width * face / faces), round(width * (face + 1) / faces)
            part = still[:, left:right]
            phase = number / 30 * 2 * np.pi / (4 + face)
            matrix = cv2.getRotationMatrix2D((part.shape[1] / 2, height * 0.45), 4 * np.sin(phase), 1)
            matrix[:, 2] += 20 * np.sin(1.7 * phase), 8 * np.sin(2.3 * phase)
            size = (part.shape[1], part.shape[0])
            canvas[:, left:right] = cv2.warpAffine(part, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        yield canvas


def photo(width: int, height: int, faces: int, face_height: int = 150) -> tuple[bytes, list[tuple[int, ...]]]:
    """Return a JPEG of `faces` portraits in a row over a natural background, and where their faces are."""
    background = cv2.resize(
        images.load(SAMPLES / "rocket-launch.jpg"), (width, height), interpolation=cv2.INTER_CUBIC
    )
    canvas, places = background.copy(), []
    for number in range(faces):
        name, (x, y, w, h) = list(PORTRAITS.items())[number % len(PORTRAITS)]
        scale = face_height / h
        portrait = cv2.resize(
            images.load(SAMPLES / name), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        if number % 4 >= 2:  # the third and fourth are mirrored, so that no face stands twice
            portrait = portrait[:, ::-1]
            x = portrait.shape[1] / scale - x - w
        column = round(width * (number + 0.5) / faces - (x + w / 2) * scale)
        row = round(height * 0.45 - (y + h / 2) * scale)
        paste(canvas, portrait, column, row)
        places.append((round(column + x * scale), round(row + y * scale), round(w * scale), round(h * scale)))
    return images.encode_jpeg(canvas, quality=92), places


def paste(canvas: np.ndarray, portrait: np.ndarray, column: int, row: int) -> None:
    """Lay the portrait over the canvas with a soft edge, so that no frame is taken for a feature."""
    left, top = max(column, 0), max(row, 0)
    right = min(column + portrait.shape[1], canvas.shape[1])
    bottom = min(row + portrait.shape[0], canvas.shape[0])
    part = portrait[top - row : bottom - row, left - column : right - column].astype(np.float32)
    edge = np.zeros(portrait.shape[:2], np.float32)
    margin = max(2, min(portrait.shape[:2]) // 12)
    edge[margin:-margin, margin:-margin] = 1
    soft = cv2.GaussianBlur(edge, (0, 0), margin / 2)[
        top - row : bottom - row, left - column : right - column, None
    ]
    canvas[top:bottom, left:right] = (soft * part + (1 - soft) * canvas[top:bottom, left:right]).astype(
        np.uint8
    )


def found(boxes: list[tuple[int, int, int, int]], places: list[tuple[int, ...]]) -> int:
    """Return how many of the faces have a box around their centre of about their size."""

    def hit(place: tuple[int, ...]) -> bool:
        x, y, w, h = place
        return any(
            bx <= x + w / 2 <= bx + bw and by <= y + h / 2 <= by + bh and 0.4 < bh / h < 2.5
            for bx, by, bw, bh in boxes
        )

    return sum(hit(place) for place in places)

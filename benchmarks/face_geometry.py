"""Measure again the constants of the pipeline that come from FER2013's training faces.

    python benchmarks/face_geometry.py ../shared/fer2013/train --yunet face_detection_yunet_2023mar.onnx

Prints where each detector's box lies on a 48×48 face (`HAAR_RULE`, `YUNET_RULE`), where YuNet's landmarks
lie (`FER2013_TEMPLATE`), how far crops by box, and by box and eyes, miss the template (`_EYE_WEIGHT`), and
the percentiles behind the limits in `mien.pipeline.quality`. The files are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import cv2
import numpy as np

from mien.core.geometry import Box
from mien.core.images import load
from mien.core.options import AnalysisOptions
from mien.pipeline import align, quality
from mien.pipeline.detect.base import FER2013_POINTS, Backend, Detection
from mien.pipeline.detect.haar import HaarBackend
from mien.pipeline.detect.search import SearchingDetector
from mien.pipeline.detect.yunet import YuNetBackend
from mien.pipeline.similarity import apply_matrix, fit_similarity

SIDE = 48
ENLARGE = 4
BORDER = SIDE * ENLARGE // 2


def on_canvas(face: np.ndarray, degrees: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The face enlarged on a wide frame of its repeated edge; and the way from its pixels to the frame's."""
    large = cv2.resize(face, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, *([BORDER] * 4), cv2.BORDER_REPLICATE)
    shift = (ENLARGE - 1) / 2 + BORDER
    to_frame = np.array([[ENLARGE, 0, shift], [0, ENLARGE, shift], [0, 0, 1.0]])
    middle = (framed.shape[1] - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
    turned = cv2.warpAffine(framed, turn, framed.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return turned, turn @ to_frame


def largest(backend: Backend, face: np.ndarray, degrees: float = 0.0) -> tuple[Detection | None, np.ndarray]:
    picture, to_frame = on_canvas(face, degrees)
    found = SearchingDetector(backend).detect(picture, AnalysisOptions(rotate=False, min_face=60))
    return (found[0] if found else None), to_frame


def to_face(to_frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    return apply_matrix(np.linalg.inv(np.vstack([to_frame, [0, 0, 1]]))[:2], points)


def spread(name: str, rows: list[np.ndarray]) -> None:
    middle = np.median(rows, axis=0)
    deviation = np.median(np.abs(np.array(rows) - middle), axis=0)
    print(f"{name} ({len(rows)} faces): median {middle.round(1).tolist()}, "
          f"median absolute deviation {deviation.round(1).tolist()}")  # fmt: skip


def measure_boxes(name: str, backend: Backend, faces: list[np.ndarray]) -> None:
    boxes, landmarks = [], []
    for face in faces:
        detection, to_frame = largest(backend, face)
        if detection is None:
            continue
        corners = to_face(to_frame, detection.corners) + 0.5
        boxes.append(np.concatenate([corners[0], corners[2] - corners[0]]))
        if detection.landmarks is not None:
            landmarks.append(to_face(to_frame, detection.landmarks.as_array()) + 0.5)
    spread(f"{name} box: left, top, width, height", boxes)
    if landmarks:
        spread(f"{name} landmarks", landmarks)


def measure_eye_weight(haar: Backend, yunet: Backend, faces: list[np.ndarray]) -> None:
    """Faces leaning up to 15°: how far Haar's crop puts YuNet's landmarks from the template, in pixels."""
    missed: dict[str, list[float]] = {}
    draw = random.Random(0)
    for face in faces:
        upright, upright_frame = largest(yunet, face)
        leaning, to_frame = largest(haar, face, draw.uniform(-15, 15))
        if upright is None or upright.landmarks is None or leaning is None or leaning.eyes is None:
            continue
        points = apply_matrix(to_frame, to_face(upright_frame, upright.landmarks.as_array()))
        alone = fit_similarity(leaning.corners, leaning.rule.corners())
        ways = {"box alone": alone}
        for weight in (0.0, 1.0, 2.0, 4.0):
            align._EYE_WEIGHT = weight
            ways[f"box and eyes at weight {weight:g}"] = align.crop_matrix(leaning, FER2013_POINTS)
        for way, matrix in ways.items():
            off = apply_matrix(matrix, points) - FER2013_POINTS
            missed.setdefault(way, []).append(float(np.sqrt((off**2).sum(axis=1).mean())))
    for way, values in missed.items():
        print(f"Haar, {way}: landmarks miss by {np.mean(values):.2f} pixels (mean of {len(values)} faces)")


def measure_quality(yunet: Backend, faces: list[np.ndarray]) -> None:
    values: dict[str, list[float]] = {}
    for face in faces:
        one = quality.measure(Box(0, 0, SIDE, SIDE), face[..., 0].copy())
        values.setdefault("sharpness", []).append(one.sharpness)
        half = cv2.resize(cv2.resize(face, (24, 24), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
        blurred = quality.measure(Box(0, 0, SIDE, SIDE), half[..., 0].copy())
        values.setdefault("sharpness at half the detail", []).append(blurred.sharpness)
        values.setdefault("brightness", []).append(one.brightness)
        detection, _ = largest(yunet, face)
        if detection is not None and detection.landmarks is not None:
            pose = quality.estimate_pose(detection.landmarks)
            for name in ("roll", "yaw", "pitch"):
                values.setdefault(name, []).append(getattr(pose, name))
    steps = (0.1, 1, 2, 5, 25, 50, 75, 95, 98, 99, 99.9)
    for name, numbers in values.items():
        at = ", ".join(f"{p} %: {v:.0f}" for p, v in zip(steps, np.percentile(numbers, steps), strict=True))
        print(f"{name}: {at}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("train", type=Path, help="folder of FER2013's training faces, a folder a label")
    parser.add_argument("--yunet", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=2000)
    args = parser.parse_args()
    files = sorted(args.train.glob("*/*.png"))
    faces = [load(path) for path in random.Random(0).sample(files, min(args.faces, len(files)))]
    haar, yunet = HaarBackend(), YuNetBackend(args.yunet)
    measure_boxes("Haar", haar, faces)
    measure_boxes("YuNet", yunet, faces)
    measure_eye_weight(haar, yunet, faces)
    measure_quality(yunet, faces)


if __name__ == "__main__":
    main()

"""Films for tests, made with the encoders that come with PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.core import images

WIDTH, HEIGHT = 96, 64
SAMPLES = Path(mien.__file__).parent / "samples"


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Return a frame that says its number: six white or black squares in a row, the lowest bit first."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    side = width // 6
    for bit in range(6):
        pixels[8 : 8 + side, bit * side : (bit + 1) * side] = 235 if number >> bit & 1 else 16
    pixels[-8:, :8] = (200, 30, 30)  # bottom left: tells which way is up
    return pixels


def number_of(pixels: NDArray[np.uint8]) -> int:
    """Return the number that `picture` wrote, modulo 64."""
    side = pixels.shape[1] // 6
    row = pixels[8 + side // 2]
    return sum(1 << bit for bit in range(6) if row[bit * side + side // 2].mean() > 126)


def make_film(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    codec: str = "libx264",
    rate: int = 25,
    times_ms: Sequence[int] | None = None,
    sound: str | None = None,
    sound_s: float = 1.0,
    pictures: bool = True,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a film; `times_ms` gives each frame its own time, `rate` the same distance to all."""
    frames = list(frames)
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = None
        if pictures:
            stream = container.add_stream(codec, rate=rate, options=options or {})
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
            stream.codec_context.time_base = Fraction(1, 1000) if times_ms else Fraction(1, rate)
        audio = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = times_ms[index] if times_ms else index
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        if stream:
            container.mux(stream.encode(None))
        if audio:
            wave = np.sin(np.arange(round(48_000 * sound_s)) * 0.06) * 0.3
            block = av.AudioFrame.from_ndarray(
                wave.astype(np.float32)[np.newaxis], format="fltp", layout="mono"
            )
            block.sample_rate, block.pts, block.time_base = 48_000, 0, Fraction(1, 48_000)
            for part in av.AudioResampler(audio.format, "mono", 48_000, audio.frame_size or None).resample(
                block
            ):
                container.mux(audio.encode(part))
            container.mux(audio.encode(None))
    return path


def numbered(count: int, width: int = WIDTH, height: int = HEIGHT) -> list[NDArray[np.uint8]]:
    """Return `count` frames that say their numbers."""
    return [picture(number, width, height) for number in range(count)]


def face_film(path: Path, *, frames: int = 24, faces: bool = True, **settings: object) -> Path:
    """Write a film of 320×240 at 12 frames a second in which the astronaut of the samples sways a little."""
    portrait = images.load(SAMPLES / "eileen-collins.jpg")
    portrait = np.asarray(cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    pictures = []
    for number in range(frames):
        canvas = np.full((240, 320, 3), 110, np.uint8)
        if faces:
            left = 40 + round(10 * np.sin(number / 5))
            height, width = min(portrait.shape[0], 240), min(portrait.shape[1], 320 - left)
            canvas[:height, left : left + width] = portrait[:height, :width]
        pictures.append(canvas)
    return make_film(path, pictures, rate=12, **settings)

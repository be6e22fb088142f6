"""A folder of pictures as a film."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mien.core import images
from mien.core.errors import ImageError, VideoFormatError, VideoLimitError
from mien.core.files import reason, shown
from mien.core.video_options import DEFAULT_RATE, VideoOptions
from mien.video.frames import Choice, Damage, Frame, SourceInfo

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


class FrameFolder:
    """The pictures of a folder in the order of the numbers in their names, so many a second.

    Pictures that cannot be read are left out, counted and told by `damage`. One of another size than the
    first is brought to it.

    Args:
        path: of the folder; the folders in it are not looked into.
        options: which frames are wanted.
        rate: pictures a second.
        max_pixels: of a picture.

    Raises:
        VideoFormatError: there is no such folder, or no picture in it that can be read.
        VideoLimitError: there are too many.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        options: VideoOptions | None = None,
        *,
        rate: float = DEFAULT_RATE,
        max_pixels: int = 50_000_000,
    ) -> None:
        self._path = Path(path)
        self._options = options or VideoOptions()
        self._rate = rate
        self._max_pixels = max_pixels
        self._damage: list[Damage] = []
        self._files = _listed(self._path)
        if len(self._files) > self._options.max_frames:
            raise VideoLimitError(
                f"{shown(self._path)} holds {len(self._files):,} pictures, more than max_frames, "
                f"{self._options.max_frames:,}; raise it if they are meant"
            )
        height, width = self._first().shape[:2]
        self.info = SourceInfo(
            name=os.fspath(self._path),
            width=width,
            height=height,
            rate=rate,
            duration_s=len(self._files) / rate,
            frames=len(self._files),
        )

    @property
    def damage(self) -> tuple[Damage, ...]:
        """Pictures that could not be read, among those read so far."""
        return tuple(self._damage)

    def close(self) -> None:
        """Nothing is open between pictures."""

    def __iter__(self) -> Iterator[Frame]:
        choice = Choice(self._options)
        size = (self.info.width, self.info.height)
        for index, file in enumerate(self._files):
            time_s = index / self._rate
            if not choice.takes(index, time_s):
                continue
            try:
                pixels = images.load(file, max_pixels=self._max_pixels)
            except ImageError:
                self._damage.append(Damage(time_s, time_s + 1 / self._rate, 1))
                continue
            if pixels.shape[1::-1] != size:
                pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
            yield Frame(index, time_s, pixels)

    def _first(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        error: ImageError | None = None
        for file in self._files:
            try:
                return images.load(file, max_pixels=self._max_pixels)
            except ImageError as failure:
                error = error or failure
        why = f": {error}" if error else ""
        raise VideoFormatError(f"{shown(self._path)} holds no picture that can be read{why}") from error


def _listed(path: Path) -> list[Path]:
    try:
        files = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()]
    except OSError as error:
        raise VideoFormatError(f"{shown(path)} cannot be read: {reason(error)}") from error
    return sorted(files, key=lambda file: _natural(file.name))


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort frame2 before frame10."""
    parts = re.split(r"(\d+)", name)
    return tuple((1, int(part), "") if place % 2 else (0, 0, part) for place, part in enumerate(parts))

"""Frames as a decoder gives them: colours are made when somebody asks for them."""

from __future__ import annotations

import threading

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mien.video.frames import Frame, shrunk

# Those whose first plane is brightness, a byte a pixel.
_BRIGHTNESS_FIRST = frozenset(
    {
        *("gray", "nv12", "nv21", "yuv410p", "yuv411p", "yuv420p", "yuv422p", "yuv440p", "yuv444p"),
        *("yuva420p", "yuva422p", "yuva444p", "yuvj411p", "yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p"),
    }
)


class DecodedFrame(Frame):
    """A frame that holds what was decoded, half of the bytes of its colours.

    Most frames of a film are only followed, in grey: making colours of all of them takes as long as decoding.

    Args:
        index, time_s: as of every frame.
        decoded: by PyAV.
        size: width and height of the film, upright. A stream may change its size on the way; what is found
            has to fit the film's.
    """

    __slots__ = ("_decoded", "_lock", "_size", "_turns")

    def __init__(self, index: int, time_s: float, decoded: VideoFrame, size: tuple[int, int]) -> None:
        super().__init__(index, time_s, None)
        self._decoded: VideoFrame | None = decoded
        self._size = size
        self._turns = round(decoded.rotation / 90) % 4
        self._lock = threading.Lock()

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture, uint8 (H, W, 3) RGB, upright."""
        with self._lock:
            if self._decoded is not None:
                self._pixels = self._upright(self._coloured(self._decoded))
                self._decoded = None
        return super().pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, in pixels."""
        return self._size

    def grey(self, side: int) -> NDArray[np.uint8]:
        """Return the picture in grey, uint8 (H, W), its longer side at most `side` pixels."""
        with self._lock:
            brightness = None if self._decoded is None else self._brightness(self._decoded)
            if brightness is not None:
                return self._upright(shrunk(brightness, side))
        return super().grey(side)

    @property
    def _stored(self) -> tuple[int, int]:
        """Width and height before the picture is turned upright."""
        width, height = self._size
        return (height, width) if self._turns % 2 else (width, height)

    def _coloured(self, decoded: VideoFrame) -> NDArray[np.uint8]:
        """Return uint8 (H, W, 3) RGB, in the memory that they were made in where its lines are not padded."""
        width, height = self._stored
        coloured = decoded.reformat(format="rgb24", width=width, height=height)
        if coloured.planes[0].line_size != 3 * width:
            return np.asarray(coloured.to_ndarray(), np.uint8)
        return np.frombuffer(memoryview(coloured.planes[0]), np.uint8).reshape(height, width, 3)

    def _brightness(self, decoded: VideoFrame) -> NDArray[np.uint8] | None:
        """Return the plane of brightness as it was decoded, or None where there is none."""
        if decoded.format.name not in _BRIGHTNESS_FIRST or (decoded.width, decoded.height) != self._stored:
            return None
        plane = decoded.planes[0]
        if plane.line_size < plane.width:  # stored upside down
            return None
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return lines[: decoded.height, : decoded.width]

    def _upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(picture, self._turns)) if self._turns else picture

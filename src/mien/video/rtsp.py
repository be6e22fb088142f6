"""Streams of network cameras (RTSP), through FFmpeg."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mien.core.errors import CameraError
from mien.core.video_options import VideoOptions
from mien.video.camera import Camera, masked, shown_address

SCHEMES = ("rtsp://", "rtsps://")
_PROTOCOLS = "rtsp,rtp,udp,tcp,tls"
SILENT_S = 5.0
"""Seconds that a camera which says nothing is waited for."""
_OPEN_S = 10.0  # that one which answers may take until its pictures come


def open_stream(
    address: str, options: VideoOptions | None = None, *, silent_s: float = SILENT_S, **settings: Any
) -> Camera:
    """Open the stream of a network camera at an address that the person at this machine gave.

    Nothing but RTSP is spoken, and only with this address: it must never come from elsewhere. The stream
    comes over TCP, which loses no packets. Its password appears in no message and no result.

    Args:
        address: rtsp://[user:password@]host[:port]/path, or rtsps:// for an encrypted one.
        options: which frames are wanted.
        silent_s: seconds that it is waited for while it says nothing.
        **settings: those of `mien.video.camera.Camera`.

    Raises:
        CameraError: nothing answers, or no pictures come.
    """
    return Camera(masked(address), lambda: _Stream(address, silent_s), options, **settings)


class _Stream:
    def __init__(self, address: str, silent_s: float) -> None:
        wanted = {
            "protocol_whitelist": _PROTOCOLS,
            "format_whitelist": "rtsp",
            "rtsp_transport": "tcp",
            "timeout": str(round(silent_s * 1e6)),
        }
        began = time.monotonic()
        try:
            self._container = av.open(address, format="rtsp", options=wanted, timeout=(_OPEN_S, silent_s))
        except (FFmpegError, OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            if time.monotonic() - began >= silent_s:
                why = f"it did not answer within {silent_s:g} s"
            raise CameraError(
                f"{shown_address(address)} cannot be opened: {str(why).lower()}; check the address, the "
                "password and that the camera is on"
            ) from error
        pictures = [stream for stream in self._container.streams.video if stream.codec_context is not None]
        if not pictures:
            self._container.close()
            raise CameraError(f"{shown_address(address)} sends no pictures; check the path in the address")
        rate = pictures[0].average_rate or pictures[0].guessed_rate
        self.rate = float(rate) if rate else None
        self._frames: Iterator[VideoFrame] = self._container.decode(pictures[0])

    def read(self) -> NDArray[np.uint8] | None:
        """Return the next picture."""
        try:
            frame = next(self._frames, None)
        except (FFmpegError, OSError):
            return None
        return None if frame is None else np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)

    def close(self) -> None:
        """Let go of the stream."""
        self._container.close()

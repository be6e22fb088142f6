"""Streams of network cameras (RTSP), through FFmpeg."""

from __future__ import annotations

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
_OPEN_S, _READ_S = 10.0, 5.0  # that a silent camera is waited for


def open_stream(address: str, options: VideoOptions | None = None, **settings: Any) -> Camera:
    """Open the stream of a network camera at an address that the person at this machine gave.

    Nothing but RTSP is spoken, and only with this address: it must never come from elsewhere. The stream
    comes over TCP, which loses no packets. Its password appears in no message and no result.

    Args:
        address: rtsp://[user:password@]host[:port]/path, or rtsps:// for an encrypted one.
        options: which frames are wanted.
        **settings: those of `mien.video.camera.Camera`.

    Raises:
        CameraError: nothing answers, or no pictures come.
    """
    return Camera(masked(address), lambda: _Stream(address), options, **settings)


class _Stream:
    def __init__(self, address: str) -> None:
        wanted = {"protocol_whitelist": _PROTOCOLS, "format_whitelist": "rtsp", "rtsp_transport": "tcp"}
        try:
            self._container = av.open(address, format="rtsp", options=wanted, timeout=(_OPEN_S, _READ_S))
        except (FFmpegError, OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
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

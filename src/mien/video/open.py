"""Any moving pictures by what a person writes: a camera, a stream, a film, a folder of frames."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeAlias

from mien.core.errors import OptionError
from mien.core.given import given_path
from mien.core.video_options import DEFAULT_RATE, VideoOptions
from mien.video.camera import open_camera, shown_address
from mien.video.film import Film
from mien.video.folder import FrameFolder
from mien.video.frames import Source
from mien.video.prefetch import Prefetch
from mien.video.realtime import LiveSource, Realtime
from mien.video.rtsp import SCHEMES, open_stream

SourceName: TypeAlias = "int | str | os.PathLike[str]"

_NUMBER = re.compile(r"[0-9]{1,4}")
_DEVICE = re.compile(r"/dev/video([0-9]{1,4})")
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_WANTED = "the number of a camera, an rtsp:// address, a film or a folder of frames"


def open_source(
    name: SourceName,
    options: VideoOptions | None = None,
    *,
    rate: float = DEFAULT_RATE,
    max_pixels: int = 50_000_000,
) -> Source:
    """Open moving pictures, whichever they are, to read all of them.

    Args:
        name: the number of a camera (0 is the first; also as text, or as /dev/video0), an address that
            begins with rtsp:// or rtsps://, the path of a film, or of a folder of pictures. It has to come
            from the person at this machine: an address is connected to.
        options: which frames are wanted.
        rate: pictures a second of a folder.
        max_pixels: of a frame.

    Raises:
        OptionError: `name` is none of these.
        VideoError: what it names cannot be read; its kinds are those of `Film`, `FrameFolder` and `Camera`.
    """
    if (live := _live(name, options, max_pixels)) is not None:
        return live
    return open_stored(_path(name), options, rate=rate, max_pixels=max_pixels)


def open_live(
    name: SourceName,
    options: VideoOptions | None = None,
    *,
    rate: float = DEFAULT_RATE,
    max_pixels: int = 50_000_000,
) -> LiveSource:
    """Open a camera or a stream, or a film or folder that is played in a camera's place in real time.

    Arguments and errors are those of `open_source`.
    """
    if (live := _live(name, options, max_pixels)) is not None:
        return live
    return Realtime(Prefetch(open_stored(_path(name), options, rate=rate, max_pixels=max_pixels)))


def is_camera(name: SourceName) -> bool:
    """Tell whether `name` is a camera or a stream, which has no end of its own."""
    return _number(name) is not None or _is_address(name)


def _live(name: SourceName, options: VideoOptions | None, max_pixels: int) -> LiveSource | None:
    if (number := _number(name)) is not None:
        return open_camera(number, options, max_pixels=max_pixels)
    if not _is_address(name):
        return None
    address = str(name)
    if not address.lower().startswith(SCHEMES):
        raise OptionError(
            f"{shown_address(address)} is no address that is read: give {_WANTED}; of addresses only "
            "rtsp:// and rtsps:// are followed"
        )
    return open_stream(address, options, max_pixels=max_pixels)


def open_stored(
    path: Path,
    options: VideoOptions | None = None,
    *,
    rate: float = DEFAULT_RATE,
    max_pixels: int = 50_000_000,
) -> Source:
    """Open a film, or a folder of frames, whatever its name looks like.

    Arguments and errors are those of `open_source`.
    """
    if path.is_dir():
        return FrameFolder(path, options, rate=rate, max_pixels=max_pixels)
    return Film(path, options, max_pixels=max_pixels)


def _path(name: SourceName) -> Path:
    return given_path("source", name, _WANTED)


def _number(name: SourceName) -> int | None:
    if isinstance(name, int):
        return name
    text = os.fspath(name) if isinstance(name, (str, os.PathLike)) else ""
    if isinstance(text, str):
        if isinstance(name, str) and _NUMBER.fullmatch(text):
            return int(text)
        if device := _DEVICE.fullmatch(text):
            return int(device[1])
    return None


def _is_address(name: SourceName) -> bool:
    return isinstance(name, str) and _ADDRESS.match(name) is not None

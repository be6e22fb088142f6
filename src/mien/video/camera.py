"""Cameras by number and streams of network cameras: pictures as they come, again after a break."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import CameraError, OptionError, VideoLimitError
from mien.core.files import shown
from mien.core.video_options import VideoOptions
from mien.video.frames import Choice, Damage, Frame, SourceInfo

RETRY_S: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds that a camera which gives no pictures any more is waited for, before each try to open it again."""

_MOST_DAMAGE = 100  # stretches remembered; a camera may run for weeks
_RGB = 3


class Device(Protocol):
    """An open camera or stream."""

    rate: float | None

    def read(self) -> NDArray[np.uint8] | None:
        """Return the next picture, uint8 (H, W, 3) RGB, or None where there is none any more."""

    def close(self) -> None:
        """Let go of it."""


class Capture(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool:  # noqa: N802
        """Tell whether it is open."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there is a picture, and the picture, BGR."""

    def get(self, which: int, /) -> float:
        """Return a property."""

    def set(self, which: int, value: float, /) -> bool:
        """Ask for a property."""

    def release(self) -> None:
        """Let go of the device."""


class Camera:
    """The pictures of a camera as they come; iterate once.

    The time of a picture is when it came, counted from the first. Where no more come the camera is opened
    again, after the pauses of `RETRY_S`; what was missed is told by `damage`.

    Args:
        name: for messages, such as "camera 0".
        opener: opens the device, or raises CameraError.
        options: which frames are wanted.
        max_pixels: of a picture.
        clock: seconds that only grow.
        wait: waits for so many seconds, or less where `interrupt` was called.

    Raises:
        CameraError: it cannot be opened, or gives no picture.
        VideoLimitError: its pictures are too large.
    """

    def __init__(
        self,
        name: str,
        opener: Callable[[], Device],
        options: VideoOptions | None = None,
        *,
        max_pixels: int = 50_000_000,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._name, self._opener = name, opener
        self._options = options or VideoOptions()
        self._max_pixels = max_pixels
        self._clock = clock
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._tell: Callable[[str], object] = lambda text: None
        self._damage: list[Damage] = []
        self._device: Device | None = None
        self._first = self._opened()
        height, width = self._first.shape[:2]
        rate = None if self._device is None else self._device.rate
        self.info = SourceInfo(name=name, width=width, height=height, rate=rate)

    @property
    def damage(self) -> tuple[Damage, ...]:
        """The last hundred times that the camera was gone."""
        return tuple(self._damage)

    def listen(self, tell: Callable[[str], object]) -> None:
        """Have `tell` called, in the thread that iterates, with a line when the camera is gone or back."""
        self._tell = tell

    def interrupt(self) -> None:
        """End the pictures soon; may be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of the device; for the thread that iterates."""
        self._stopped.set()
        self._release()

    def __iter__(self) -> Iterator[Frame]:
        choice = Choice(self._options)
        start, index, last_s = self._clock(), 0, 0.0
        pixels: NDArray[np.uint8] | None = self._first
        while not self._stopped.is_set():
            if pixels is None:
                pixels = self._again()
                if pixels is None:
                    return
                self._note_gap(last_s, self._clock() - start)
            time_s = self._clock() - start
            if choice.is_past(time_s) or index >= self._options.max_frames:
                return
            if choice.takes(index, time_s):
                yield Frame(index, time_s, self._fitted(pixels))
            index, last_s = index + 1, time_s
            pixels = None if self._device is None else self._device.read()

    def _opened(self) -> NDArray[np.uint8]:
        """Open the device and return its first picture."""
        self._device = self._opener()
        pixels = self._device.read()
        if pixels is None:
            self._release()
            raise CameraError(
                f"{self._name} opens, but gives no picture; close other programs that use it, or take it out "
                "and plug it in again"
            )
        height, width = pixels.shape[:2]
        if height * width > self._max_pixels:
            self._release()
            raise VideoLimitError(
                f"{self._name} gives pictures of {width}×{height} pixels, more than max_pixels, "
                f"{self._max_pixels:,}; raise it if they are meant"
            )
        return pixels

    def _again(self) -> NDArray[np.uint8] | None:
        """Open the camera again; None where the end was asked for meanwhile."""
        self._release()
        self._tell(f"{self._name} gives no pictures; it is waited for, {sum(RETRY_S):g} s at most")
        failure: CameraError | None = None
        for pause in RETRY_S:
            self._wait(pause)
            if self._stopped.is_set():
                return None
            try:
                pixels = self._opened()
            except CameraError as error:
                failure = error
                continue
            self._tell(f"{self._name} is back")
            return pixels
        raise CameraError(
            f"{self._name} gives no pictures any more and did not come back within {sum(RETRY_S):g} s; "
            "check its cable or network, then start again"
        ) from failure

    def _note_gap(self, last_s: float, now_s: float) -> None:
        missed = round((now_s - last_s) * (self.info.rate or 0))
        self._damage = [*self._damage[1 - _MOST_DAMAGE :], Damage(last_s, now_s, missed)]

    def _fitted(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size = (self.info.width, self.info.height)
        if pixels.shape[1::-1] == size:
            return pixels
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _release(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()


def open_camera(
    number: int,
    options: VideoOptions | None = None,
    *,
    size: tuple[int, int] | None = (640, 480),
    capture: Callable[[int], Capture] | None = None,
    **settings: Any,
) -> Camera:
    """Open a camera of this machine.

    Args:
        number: 0 is the first.
        options: which frames are wanted.
        size: width and height to ask for; a camera gives the nearest that it has. None asks for nothing.
        capture: opens the device; `cv2.VideoCapture` without it.
        **settings: the others of `Camera`.

    Raises:
        OptionError: `number` is no number of a camera.
        CameraError: there is no such camera, or it gives no picture.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 1000:
        raise OptionError(f"the number of a camera has to be between 0 and 1000, not {number!r}")
    opener = capture or _capture
    return Camera(f"camera {number}", lambda: _Numbered(number, size, opener), options, **settings)


class _Numbered:
    """A device of this machine."""

    def __init__(self, number: int, size: tuple[int, int] | None, capture: Callable[[int], Capture]) -> None:
        self._capture = capture(number)
        if not self._capture.isOpened():
            self._capture.release()
            raise CameraError(
                f"camera {number} cannot be opened; check that it is connected, that no other program uses "
                "it and that you may open it (mien doctor lists cameras)"
            )
        if size is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        # The oldest pictures of a long queue would be shown late; devices without a queue ignore this.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        rate = float(self._capture.get(cv2.CAP_PROP_FPS) or 0)
        self.rate = rate if 0 < rate < 1e4 else None

    def read(self) -> NDArray[np.uint8] | None:
        """Return the next picture."""
        try:
            there, pixels = self._capture.read()
        except cv2.error:  # drivers fail in many ways when a plug is pulled
            return None
        if not there or pixels is None or pixels.size == 0:
            return None
        if pixels.ndim == 2 or pixels.shape[2] != _RGB:
            code = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 or pixels.shape[2] == 1 else cv2.COLOR_BGRA2RGB
        else:
            code = cv2.COLOR_BGR2RGB
        return np.asarray(cv2.cvtColor(pixels, code), np.uint8)

    def close(self) -> None:
        """Let go of the device."""
        self._capture.release()


def _capture(number: int) -> Capture:
    # OpenCV reports a missing camera on standard error as well; the error says it better.
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    before = None if logging is None else logging.getLogLevel()
    try:
        if logging is not None:
            logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        opened: Capture = cv2.VideoCapture(number)
    finally:
        if logging is not None:
            logging.setLogLevel(before)
    return opened


def masked(address: str) -> str:
    """Return an address for messages and records, without the password in it."""
    return re.sub(r"^(\w+://[^/@:]*):.*@", r"\1:***@", address)


def without_password(address: str) -> str:
    """Return an address to be kept in a file: its user, if it names one, but not the password."""
    return re.sub(r"^(\w+://[^/@:]*):.*@", r"\1@", address)


def shown_address(address: str) -> str:
    """Return an address in quotes for a message: printable, without the password in it."""
    return shown(masked(address))

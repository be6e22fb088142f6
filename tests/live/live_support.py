"""A camera that gives a picture when the test says so, and a session around it."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.core import images
from mien.core.video_options import VideoOptions
from mien.live import LiveFrame, LiveSession, Notice
from mien.pipeline.analyzer import Analyzer
from mien.testing import fake_model, picture
from mien.video.camera import Camera, open_camera

PHOTO = Path(mien.__file__).parent / "samples" / "eileen-collins.jpg"
WIDTH, HEIGHT = 240, 240


@cache
def face_picture() -> NDArray[np.uint8]:
    """A small photo of one face, RGB."""
    return np.asarray(cv2.resize(images.load(PHOTO), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def empty_picture() -> NDArray[np.uint8]:
    return picture(WIDTH, HEIGHT)


class Gated:
    """Stands where `cv2.VideoCapture` does: reading waits for the test to `give` a picture, or None."""

    def __init__(self) -> None:
        self._pictures: Queue[NDArray[np.uint8] | None] = Queue()
        self._asked = threading.Semaphore(0)
        self.released = False
        self.is_plugged = True
        self.is_endless = False  # give an empty picture whenever there is no other
        self.give(empty_picture())  # the camera's first picture, read when it is opened

    def give(self, pixels: NDArray[np.uint8] | None) -> None:
        self._pictures.put(pixels)

    def wait_asked(self, times: int) -> None:
        """Wait until so many more pictures were asked for."""
        for _ in range(times):
            assert self._asked.acquire(timeout=30)

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_plugged

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        self._asked.release()
        empty = self.is_endless and self._pictures.empty()
        pixels = empty_picture() if empty else self._pictures.get(timeout=60)
        return pixels is not None, None if pixels is None else pixels[..., ::-1]

    def get(self, which: int) -> float:
        return 0.0

    def set(self, which: int, value: float) -> bool:
        return False

    def release(self) -> None:
        self.released = True


def gated_camera(capture: Gated) -> Camera:
    """A camera that is not waited for when it goes away."""
    return open_camera(0, capture=lambda number: capture, wait=lambda seconds: None)


@cache
def steps():
    """The detector that ships, and a network without weights."""
    return Analyzer(detector="haar", rotate=False, model=fake_model()).steps


def session(capture: Gated, **settings) -> LiveSession:
    return LiveSession(gated_camera(capture), steps(), VideoOptions(cadence=0), **settings)


def live_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mien-")]


class Watcher:
    """Takes frames one by one, and holds the session while it has not let go of one."""

    def __init__(self, live: LiveSession, *, holds: bool = False) -> None:
        self.shots: Queue[LiveFrame] = Queue()
        self.notices: Queue[Notice] = Queue()
        self.ends: list[BaseException | None] = []
        self._go = threading.Semaphore(0) if holds else None
        self.unsubscribe = live.subscribe(self._take, on_notice=self.notices.put, on_end=self.ends.append)

    def _take(self, shot: LiveFrame) -> None:
        self.shots.put(shot)
        if self._go is not None:
            assert self._go.acquire(timeout=30)

    def let_go(self) -> None:
        self._go.release()

    def next(self) -> LiveFrame:
        return self.shots.get(timeout=30)

    def notice(self) -> Notice:
        return self.notices.get(timeout=30)


def stop(live: LiveSession, camera: Gated) -> None:
    camera.give(empty_picture())  # whoever reads a camera waits for its picture
    live.stop()

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from film_support import HEIGHT, WIDTH, make_film, number_of, numbered
from rtsp_support import NetworkCamera

from mien.core.errors import CameraError
from mien.video.camera import RETRY_S, Camera, masked
from mien.video.frames import Frame
from mien.video.open import open_source
from mien.video.rtsp import SILENT_S, open_stream


def read_all(camera: Camera, frames: list[Frame]) -> None:
    for frame in camera:
        frames.append(frame)  # one by one: an error comes at the end


def test_the_pictures_of_a_network_camera() -> None:
    with NetworkCamera(30) as server:
        camera = open_stream(f"rtsp://{server.address}", wait=lambda seconds: None)
        frames: list[Frame] = []
        with pytest.raises(CameraError, match=r"did not come back"):
            read_all(camera, frames)
        camera.close()
    numbers = [number_of(frame.pixels) for frame in frames]
    assert len(numbers) >= 25
    assert numbers == sorted(numbers)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert {frame.pixels.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    assert (np.diff([frame.time_s for frame in frames]) >= 0).all()
    assert "PLAY" in server.asked


def test_a_connection_that_breaks_is_made_again() -> None:
    waits: list[float] = []
    with NetworkCamera(10, connections=2) as server:
        camera = open_stream(f"rtsp://{server.address}", wait=waits.append)
        frames, stream = [], iter(camera)
        while len(camera.damage) == 0:
            frames.append(next(stream))
        camera.close()
    assert waits == [RETRY_S[0]]
    assert len(frames) >= 8
    assert number_of(frames[-1].pixels) == 0, "the first picture of the new connection"


def test_the_password_opens_the_camera_and_is_told_to_nobody() -> None:
    with NetworkCamera(5, password="se:cret@1") as server:
        camera = open_source(f"rtsp://me:se%3Acret%401@{server.address}")
        camera.close()
        assert camera.info.name == f"rtsp://me:***@{server.address}"
    with NetworkCamera(5, password="other") as server, pytest.raises(CameraError) as caught:
        open_source(f"rtsp://me:secret@{server.address}")
    assert "secret" not in str(caught.value)
    assert "me:***@" in str(caught.value)
    assert masked("rtsp://me:a@b:c@host/x") == "rtsp://me:***@host/x"
    assert masked("rtsp://host:554/x") == "rtsp://host:554/x"


def test_a_camera_that_does_not_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: nobody answers there
        with pytest.raises(CameraError, match="cannot be opened: connection refused; check the address"):
            open_source(f"rtsp://127.0.0.1:{taken.getsockname()[1]}/cam")


def test_a_camera_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/cam"
        with pytest.raises(CameraError, match=r"did not answer within 0\.3 s; check the address"):
            open_stream(address, silent_s=0.3)
    assert SILENT_S == 5, "as docs/live.md says"


def test_an_address_opens_no_file(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", numbered(5))
    with pytest.raises(CameraError):
        open_source(f"rtsp:///{film}")

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_support import Clock, FakeCapture, Plugs, bgr
from film_support import HEIGHT, WIDTH, make_film, number_of, numbered

from mien.core import images
from mien.core.errors import CameraError, OptionError, VideoFormatError, VideoLimitError
from mien.core.video_options import VideoOptions
from mien.video.camera import RETRY_S, open_camera
from mien.video.cameras import FoundCamera, find_cameras
from mien.video.film import Film
from mien.video.frames import Frame, SourceInfo
from mien.video.open import is_camera, open_live, open_source
from mien.video.realtime import Realtime


def test_pictures_come_in_their_order_with_the_time_they_came() -> None:
    capture, clock = FakeCapture([bgr(n) for n in range(5)]), Clock(step=0.01)
    camera = open_camera(3, capture=lambda number: capture, clock=clock, wait=clock.wait)
    frames = []
    for frame in camera:
        frames.append(frame)
        if len(frames) == 5:
            camera.interrupt()
    camera.close()
    assert [number_of(frame.pixels) for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx([0.01] * 4)
    assert frames[0].pixels[-4, 3, 0] > 150, "red stands first"
    assert (camera.info.name, camera.info.rate) == ("camera 3", 30.0)
    assert (camera.info.width, camera.info.height) == (WIDTH, HEIGHT)
    assert capture.asked[cv2.CAP_PROP_FRAME_WIDTH] == 640
    assert capture.released


def test_a_camera_that_is_not_there_says_what_to_do() -> None:
    closed = FakeCapture([], is_open=False)
    with pytest.raises(CameraError, match=r"camera 7 cannot be opened; check"):
        open_camera(7, capture=lambda number: closed)
    assert closed.released
    black = FakeCapture([])
    with pytest.raises(CameraError, match=r"gives no picture; close other programs"):
        open_camera(0, capture=lambda number: black)
    assert black.released


@pytest.mark.parametrize("number", [-1, 1001, True, "0"])
def test_a_number_that_is_none(number: object) -> None:
    with pytest.raises(OptionError, match="number of a camera"):
        open_camera(number)  # type: ignore[arg-type]


def test_a_camera_that_comes_back_goes_on_and_tells_of_the_gap() -> None:
    plugs, clock = (
        Plugs(
            FakeCapture([bgr(1), bgr(2)]),
            FakeCapture([], is_open=False),
            FakeCapture([bgr(3), bgr(4)]),
        ),
        Clock(),
    )
    camera = open_camera(0, capture=plugs, clock=clock, wait=clock.wait)
    with pytest.raises(CameraError, match=r"did not come back within 15\.5 s"):
        list(camera)
    assert clock.waits[:2] == list(RETRY_S[:2])
    assert clock.waits[2:] == list(RETRY_S)
    (gap,) = camera.damage
    assert (gap.start_s, gap.end_s, gap.frames) == (0.0, 1.5, 45)


def test_the_pictures_before_and_after_a_break_all_come() -> None:
    plugs, clock = Plugs(FakeCapture([bgr(1), bgr(2)]), FakeCapture([bgr(3)])), Clock()
    frames = iter(open_camera(0, capture=plugs, clock=clock, wait=clock.wait))
    assert [number_of(next(frames).pixels) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(CameraError):
        next(frames)


def test_the_end_is_not_waited_for_while_a_camera_is_away() -> None:
    plugs, clock = Plugs(FakeCapture([bgr(1)])), Clock()
    waited = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        camera.interrupt()

    camera = open_camera(0, capture=plugs, clock=clock, wait=wait)
    assert [frame.index for frame in camera] == [0]
    assert waited == [RETRY_S[0]]


def test_grey_and_transparent_pictures_and_new_sizes() -> None:
    gray = np.full((HEIGHT, WIDTH), 77, np.uint8)
    alpha = np.dstack([bgr(5), gray])
    larger = cv2.resize(bgr(6), (2 * WIDTH, 2 * HEIGHT))
    capture, clock = FakeCapture([gray, alpha, larger]), Clock()
    frames = iter(open_camera(0, capture=lambda number: capture, clock=clock, wait=clock.wait))
    assert (next(frames).pixels == 77).all()
    assert number_of(next(frames).pixels) == 5
    last = next(frames).pixels
    assert (last.shape, number_of(last)) == ((HEIGHT, WIDTH, 3), 6)


def test_options_and_limits_hold_for_cameras_too() -> None:
    def camera(clock: Clock, **options):
        capture = FakeCapture([bgr(n) for n in range(60)])
        return open_camera(
            0, VideoOptions(**options), capture=lambda number: capture, clock=clock, wait=clock.wait
        )

    assert [f.index for f in camera(Clock(step=0.05), every=10, end=1.0)] == [0, 10]
    assert [f.index for f in camera(Clock(), max_frames=4)] == [0, 1, 2, 3]
    with pytest.raises(VideoLimitError, match="96×64"):
        open_camera(0, capture=lambda number: FakeCapture([bgr(0)]), max_pixels=100)


def test_a_driver_that_raises_is_a_camera_that_went_away() -> None:
    class Broken(FakeCapture):
        def read(self):
            raise cv2.error("unplugged")

    with pytest.raises(CameraError, match="gives no picture"):
        open_camera(0, capture=lambda number: Broken([]))


class Listed:
    """Frames at given times, each of which takes a while to decode."""

    def __init__(self, times: list[float], clock: Clock, costs: float = 0.0) -> None:
        self.info = SourceInfo("listed", 4, 4, rate=10.0)
        self.damage = ()
        self.closed = False
        self._times, self._clock, self._costs = times, clock, costs

    def __iter__(self):
        for index, time_s in enumerate(self._times):
            self._clock.now += self._costs
            yield Frame(index, time_s, np.zeros((4, 4, 3), np.uint8))

    def close(self) -> None:
        self.closed = True


def test_a_film_is_played_by_its_timestamps() -> None:
    clock = Clock()
    source = Listed([0.0, 0.1, 0.25, 1.0], clock)
    played = Realtime(source, clock=clock, wait=clock.wait)
    came = [(frame.index, round(clock.now - 100, 3)) for frame in played]
    assert came == [(0, 0.0), (1, 0.1), (2, 0.25), (3, 1.0)]
    assert clock.waits == pytest.approx([0.1, 0.15, 0.75])
    assert played.dropped == 0
    played.close()
    assert source.closed


def test_frames_that_are_late_are_left_out() -> None:
    clock = Clock()
    played = Realtime(Listed([n / 10 for n in range(20)], clock), clock=clock, wait=clock.wait)
    came = []
    for frame in played:
        came.append(frame.index)
        if frame.index == 4:
            clock.now += 0.45  # whoever watches was busy: 5 to 7 are more than a frame late by now
    assert came == [0, 1, 2, 3, 4, *range(8, 20)]
    assert played.dropped == 3
    assert clock.now - 100 == pytest.approx(1.9)


def test_a_film_too_heavy_for_real_time_still_moves() -> None:
    clock = Clock()
    played = Realtime(Listed([n / 10 for n in range(40)], clock, costs=0.2), clock=clock, wait=clock.wait)
    times = []
    for _ in played:
        times.append(clock.now)
    assert len(times) < 30
    assert max(np.diff(times)) <= 0.75
    assert played.dropped == 40 - len(times)


def test_a_wait_for_the_next_frame_can_be_interrupted(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", numbered(2), times_ms=[0, 3_000_000])
    played = Realtime(Film(film))
    frames = iter(played)
    next(frames)
    threading.Timer(0.01, played.interrupt).start()
    assert next(frames, None) is None
    played.close()


def test_anything_is_opened_by_what_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_film(tmp_path / "film.mp4", numbered(6))
    (tmp_path / "frames").mkdir()
    for number, pixels in enumerate(numbered(4)):
        images.save(pixels, tmp_path / "frames" / f"{number}.png")
    for name, count in (("film.mp4", 6), ("frames", 4)):
        for opened in (open_source(tmp_path / name), open_source(str(tmp_path / name))):
            assert len(list(opened)) == count
            opened.close()
        live = open_live(tmp_path / name, VideoOptions(end=0.1))
        assert next(iter(live)).index == 0
        live.close()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.mp4").rename(tmp_path / "0")
    assert len(list(open_source("./0"))) == 6
    assert len(list(open_source(Path("0")))) == 6, "a path is a path, a text of digits a camera"


@pytest.mark.parametrize("name", [0, "0", "12", "/dev/video1", "rtsp://host/cam", "RTSPS://host/cam"])
def test_what_is_a_camera(name: int | str) -> None:
    assert is_camera(name)


@pytest.mark.parametrize("name", ["film.mp4", "./0", Path("0"), "/dev/videos/1.mp4"])
def test_what_is_none(name: str | Path) -> None:
    assert not is_camera(name)


def test_no_other_address_is_followed() -> None:
    for address in ("http://host/a.mp4", "file:///etc/passwd", "tcp://host:1", "concat://x"):
        with pytest.raises(OptionError, match="only rtsp:// and rtsps://"):
            open_source(address)
    for nothing in ("", None, 3.5, b"film.mp4", "a\0b"):
        with pytest.raises(OptionError, match="source has to be the number of a camera"):
            open_source(nothing)  # type: ignore[arg-type]
    with pytest.raises(VideoFormatError, match="no such file"):
        open_live("nothing.mp4")


def test_cameras_that_answer_are_found_and_let_go() -> None:
    there = FakeCapture([bgr(1)])
    captures = {0: FakeCapture([], is_open=False), 2: FakeCapture([]), 5: there}
    found = list(find_cameras(numbers=(0, 2, 5), capture=lambda number: captures[number]))
    assert found == [FoundCamera(5, found[0].name, WIDTH, HEIGHT)]
    assert all(capture.released for capture in captures.values())
    assert cv2.CAP_PROP_FRAME_WIDTH not in there.asked, "it is asked for no other size"
    assert list(find_cameras(numbers=(5,), is_cancelled=lambda: True)) == []

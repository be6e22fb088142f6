from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from live_support import Gated, Watcher, face_picture, session, steps, stop

from mien.core import images
from mien.core.errors import OutputError
from mien.core.video_options import VideoOptions
from mien.gallery import Gallery, GalleryOptions
from mien.live import LiveSession, Notice
from mien.live.keepers import AutoSave, KeepCrops, Recording, record
from mien.render import Annotator
from mien.video.camera import open_camera
from mien.video.film import Film


def test_faces_are_saved_on_demand(camera: Gated, tmp_path: Path) -> None:
    store = Gallery(tmp_path / "faces")
    live = session(camera, gallery=store)
    watcher = Watcher(live)
    assert live.save_now() == 0
    live.start()
    watcher.next()
    assert live.save_now() == 0
    camera.give(face_picture())
    watcher.next()
    assert live.save_now() == 1
    assert watcher.notice().text.startswith("saved ")
    (saved,) = store.faces()
    assert (saved.source, saved.face is not None) == ("camera 0", True)
    live.clear()
    assert watcher.notice() == Notice("deleted 1 saved face")
    assert store.faces() == []
    stop(live, camera)


def show(camera: Gated, live: LiveSession, watcher: Watcher, clock: list[float], now: float) -> None:
    """Show the face once more at a later time."""
    clock[0] = now
    camera.give(face_picture())
    watcher.next()


def timed_session(camera: Gated, clock: list[float]) -> LiveSession:
    source = open_camera(0, capture=lambda number: camera, wait=lambda s: None, clock=lambda: clock[0])
    return LiveSession(source, steps(), VideoOptions(cadence=0))


def test_faces_are_saved_by_themselves_once_a_second(camera: Gated, tmp_path: Path) -> None:
    clock = [0.0]
    live = timed_session(camera, clock)
    store = Gallery(tmp_path, GalleryOptions(max_doubts=5))
    live.keep(AutoSave(live, store))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    for now in (0.1, 0.5, 0.7, 1.2, 1.75, 2.6, 2.7):
        show(camera, live, watcher, clock, now)
    stop(live, camera)
    assert len(store.faces()) == 2, "at 0.7 and 1.75: not in the first half second, then once a second"
    assert len({face.person for face in store.faces()}) == 1


def test_faces_of_poor_quality_are_not_saved_by_themselves(camera: Gated, tmp_path: Path) -> None:
    live = session(camera)
    live.keep(AutoSave(live, Gallery(tmp_path, GalleryOptions(min_confidence=1.0))))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    camera.give(face_picture())
    watcher.next()
    stop(live, camera)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_once_and_the_session_goes_on(camera: Gated, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    clock = [0.0]
    live = timed_session(camera, clock)
    live.keep(AutoSave(live, Gallery(tmp_path / "file" / "faces", GalleryOptions(max_doubts=5))))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    for now in (0.1, 1.0, 2.1, 3.2):
        show(camera, live, watcher, clock, now)
    told = watcher.notice()
    assert told.is_problem
    assert live.lost
    assert "cannot be made" in told.text
    stop(live, camera)
    assert live.error is None
    assert watcher.notices.empty()


def test_what_the_network_read_is_kept_once_a_second(camera: Gated, tmp_path: Path) -> None:
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops" / "image6.png").write_bytes(b"older")
    clock = [0.0]
    live = timed_session(camera, clock)
    live.keep(KeepCrops(tmp_path / "crops", live.tell))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    shots = []
    for now in (0.1, 0.3, 1.2):
        clock[0] = now
        camera.give(face_picture())
        shots.append(watcher.next())
    stop(live, camera)
    assert sorted(path.name for path in (tmp_path / "crops").iterdir()) == [
        "image6.png",
        "image7.png",
        "image8.png",
    ]
    assert (images.load(tmp_path / "crops" / "image7.png")[..., 0] == shots[0].crops[0]).all()


def test_crops_stop_at_their_limit_and_say_so(camera: Gated, tmp_path: Path) -> None:
    clock = [0.0]
    live = timed_session(camera, clock)
    live.keep(KeepCrops(tmp_path, live.tell, most=2))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    for now in (1.0, 2.5, 4.0):
        show(camera, live, watcher, clock, now)
    assert "holds 2 crops" in watcher.notice().text
    stop(live, camera)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_recording_is_a_film_of_what_was_seen(camera: Gated, tmp_path: Path) -> None:
    clock = [5.0]
    live = timed_session(camera, clock)
    watcher = Watcher(live)
    live.start()
    watcher.next()
    recording = record(live, tmp_path / "session.mp4", annotator=Annotator())
    for now in (6.0, 6.5, 7.0):
        show(camera, live, watcher, clock, now)
    live.release(recording)
    assert watcher.notice().text == f"recorded 3 frames to '{tmp_path / 'session.mp4'}'"
    show(camera, live, watcher, clock, 8.0)
    stop(live, camera)
    frames = list(Film(tmp_path / "session.mp4"))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.5, 1.0], abs=0.002)
    assert np.abs(frames[0].pixels.astype(int) - face_picture()).max() > 80, "boxes are drawn"


def test_a_full_disk_ends_the_recording_and_leaves_a_film(camera: Gated, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    clock = [0.0]
    live = timed_session(camera, clock)
    watcher = Watcher(live)
    live.start()
    watcher.next()
    recording = record(live, tmp_path / "session.mp4")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        noise = np.random.default_rng(0)
        while watcher.notices.empty():
            clock[0] += 0.5
            camera.give(noise.integers(0, 256, (240, 240, 3), np.uint8))
            watcher.next()
        live.release(recording)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told = watcher.notice()
    assert told.is_problem
    assert told.text.startswith("the recording ended: ")
    assert "too large" in told.text
    show(camera, live, watcher, clock, clock[0] + 1)
    stop(live, camera)
    assert live.error is None
    assert "is not whole: it ends where it could not be written any more" in watcher.notice().text
    assert live.lost
    film = Film(tmp_path / "session.mp4")
    assert list(film)
    assert film.damage == ()
    assert [path.name for path in tmp_path.iterdir()] == ["session.mp4"]


def test_a_recording_that_breaks_ends_alone(camera: Gated) -> None:
    class FullDisk:
        closed = False

        def __enter__(self):
            return self

        def write(self, pixels, time_s):
            raise OutputError("no space left")

        def __exit__(self, *how):
            self.closed = True

    live, recorder = session(camera), FullDisk()
    live.keep(Recording(recorder, live.tell))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    assert watcher.notice() == Notice("the recording ended: no space left", is_problem=True, is_loss=True)
    camera.give(face_picture())
    assert watcher.next().frame.index == 1
    stop(live, camera)
    assert recorder.closed
    assert live.error is None

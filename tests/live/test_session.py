from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
from live_support import PHOTO, Gated, empty_picture, face_picture, live_threads, session, steps

import mien
from mien.core import images
from mien.core.errors import CameraError, OptionError, OutputError
from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions
from mien.gallery import Gallery, GalleryOptions
from mien.live import PRESETS, LiveFrame, LiveSession, Notice, live_options, open_session
from mien.live.keepers import AutoSave, KeepCrops, Recording, record
from mien.render import Annotator
from mien.testing import fake_model
from mien.video.film import Film
from mien.video.open import open_live


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert live_threads() == []


@pytest.fixture
def camera() -> Iterator[Gated]:
    capture = Gated()
    yield capture
    assert capture.released


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


def test_every_frame_is_handed_out_when_there_is_time(camera: Gated) -> None:
    live = session(camera)
    watcher = Watcher(live)
    live.start()
    assert watcher.next().analysis.faces == ()
    camera.give(face_picture())
    shot = watcher.next()
    assert (shot.frame.index, shot.analysis.index) == (1, 1)
    assert (shot.frame.pixels == face_picture()).all()
    (face,) = shot.analysis.faces
    assert face.track_id == 0
    assert shot.crops.shape == (1, 48, 48)
    assert (shot.stats.analysed, shot.stats.dropped) == (2, 0)
    assert shot.stats.latency_s > 0
    assert live.newest is shot
    assert not live.ended
    stop(live, camera)
    assert live.ended
    assert watcher.ends == [None]
    assert live.error is None


def test_the_newest_frame_wins_and_nothing_queues(camera: Gated) -> None:
    live = session(camera)
    watcher = Watcher(live, holds=True)
    live.start()
    assert watcher.next().frame.index == 0
    camera.wait_asked(2)  # the one at opening, and the one that is waited for now
    for _ in range(5):
        camera.give(face_picture())
    camera.wait_asked(5)
    watcher.let_go()
    shot = watcher.next()
    assert shot.frame.index == 5, "the newest"
    assert (shot.stats.analysed, shot.stats.dropped) == (2, 4)
    watcher.let_go()
    watcher.let_go()
    stop(live, camera)


def test_a_pause_hands_out_nothing_and_then_shows_the_present(camera: Gated) -> None:
    live = session(camera)
    watcher = Watcher(live)
    live.start()
    watcher.next()
    live.pause()
    assert live.paused
    camera.wait_asked(2)
    for _ in range(3):
        camera.give(face_picture())
    camera.wait_asked(3)
    live.resume()
    camera.give(empty_picture())
    assert watcher.next().frame.index == 4
    assert live.stats.dropped == 0, "what is left out on purpose is not dropped"
    stop(live, camera)


def test_a_camera_that_is_gone_ends_the_session_with_its_error(camera: Gated) -> None:
    live = session(camera)
    watcher, feed = Watcher(live), live.feed()
    live.start()
    assert feed.take(30).frame.index == 0
    camera.give(None)
    with pytest.raises(CameraError, match="camera 0 gives no pictures any more"):
        feed.take(30)
    assert live.wait(30)
    live.stop()
    assert isinstance(watcher.ends[0], CameraError)
    assert live.error is watcher.ends[0]
    with pytest.raises(CameraError):
        list(live.feed())


def test_a_subscriber_that_fails_ends_the_session_with_its_error(camera: Gated) -> None:
    camera.is_endless = True
    live = session(camera)
    feed = live.feed()
    live.subscribe(lambda shot: 1 / 0)
    live.start()
    with pytest.raises(ZeroDivisionError):
        list(feed)
    live.stop()


def test_who_unsubscribed_gets_nothing(camera: Gated) -> None:
    live = session(camera)
    first, second = Watcher(live), Watcher(live)
    live.start()
    first.next()
    second.next()
    first.unsubscribe()
    camera.give(face_picture())
    second.next()
    stop(live, camera)
    assert first.shots.empty()
    assert (first.ends, second.ends) == ([], [None])


def test_a_session_stops_in_every_state(camera: Gated) -> None:
    unstarted = session(camera)
    unstarted.stop()
    unstarted.stop()
    assert unstarted.ended
    assert camera.released
    with pytest.raises(OptionError, match="used once"):
        unstarted.start()

    for state in ("running", "paused", "held", "from inside"):
        capture = Gated()
        live = session(capture)
        watcher = Watcher(live, holds=state == "held")
        if state == "from inside":
            live.subscribe(lambda shot, live=live, capture=capture: stop(live, capture))
        live.start()
        with pytest.raises(OptionError):
            live.start()
        watcher.next()
        if state == "paused":
            live.pause()
        if state == "held":
            watcher.let_go()
            watcher.let_go()
        stop(live, capture)
        assert live.ended
        assert capture.released
        assert live_threads() == []
        live.stop()


def test_a_session_is_a_block_and_a_feed_a_loop(camera: Gated) -> None:
    live = session(camera)
    with live:
        for shot in live.feed():
            assert shot.frame.index in (0, 1)
            camera.give(empty_picture())
            break
    assert live.ended
    late = live.feed()
    assert late.ended
    assert list(late) == []


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


def times(camera: Gated, live: LiveSession, watcher: Watcher, clock: list[float], now: float) -> None:
    """Show the face once more at a later time."""
    clock[0] = now
    camera.give(face_picture())
    watcher.next()


def timed_session(camera: Gated, clock: list[float]) -> LiveSession:
    from mien.video.camera import open_camera

    source = open_camera(0, capture=lambda number: camera, wait=lambda s: None, clock=lambda: clock[0])
    return LiveSession(source, steps(), VideoOptions(cadence=1))


def test_faces_are_saved_by_themselves_once_a_second(camera: Gated, tmp_path: Path) -> None:
    clock = [0.0]
    live = timed_session(camera, clock)
    store = Gallery(tmp_path, GalleryOptions(max_doubts=5))
    live.keep(AutoSave(live, store))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    for now in (0.1, 0.5, 1.05, 1.2, 2.5, 2.6):
        times(camera, live, watcher, clock, now)
    stop(live, camera)
    assert len(store.faces()) == 3
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
    store = Gallery(tmp_path / "file" / "faces", GalleryOptions(save_every=0.0, max_doubts=5))
    live = session(camera, gallery=store)
    live.keep(AutoSave(live, store))
    watcher = Watcher(live)
    live.start()
    watcher.next()
    for _ in range(4):
        camera.give(face_picture())
        watcher.next()
    told = watcher.notice()
    assert told.is_problem
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
        times(camera, live, watcher, clock, now)
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
        times(camera, live, watcher, clock, now)
    live.release(recording)
    assert watcher.notice().text == f"recorded 3 frames to '{tmp_path / 'session.mp4'}'"
    times(camera, live, watcher, clock, 8.0)
    stop(live, camera)
    frames = list(Film(tmp_path / "session.mp4"))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.5, 1.0], abs=0.002)
    assert np.abs(frames[0].pixels.astype(int) - face_picture()).max() > 80, "boxes are drawn"


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
    assert watcher.notice() == Notice("the recording ended: no space left", is_problem=True)
    camera.give(face_picture())
    assert watcher.next().frame.index == 1
    stop(live, camera)
    assert recorder.closed
    assert live.error is None


def test_a_film_plays_in_a_cameras_place(shared: Path) -> None:
    film = shared / "media" / "three-people.mp4"
    live = LiveSession(open_live(film, VideoOptions(end=0.3)), steps(), VideoOptions(cadence=6))
    feed = live.feed()
    with live:
        shots = list(feed)
    assert shots[-1].frame.time_s < 0.3
    assert max(len(shot.analysis.faces) for shot in shots) >= 1


def test_a_loop_watches(shared: Path) -> None:
    film = shared / "media" / "two-tilted-heads.mp4"
    for number, analysis in enumerate(mien.watch(film, model=fake_model(), detector="haar", preset="light")):
        assert isinstance(analysis, mien.FrameAnalysis)
        if number == 3:
            break
    assert live_threads() == []
    with pytest.raises(OptionError, match="unknown option 'speed'"):
        mien.watch(film, model=fake_model(), speed=3)
    with pytest.raises(mien.VideoError, match="no such file"):
        mien.watch("nothing.mp4", model=fake_model())
    with pytest.raises(mien.VideoError, match="no film"):
        mien.watch(PHOTO, model=fake_model())


def test_presets_are_tables_of_known_options() -> None:
    assert list(PRESETS) == ["standard", "light", "advanced"]
    for name, preset in PRESETS.items():
        of_picture, of_film = live_options(name)
        values = of_picture.to_dict() | of_film.to_dict()
        assert {option: values[option] for option in preset.options} == dict(preset.options)
    of_picture, of_film = live_options("advanced", {"clahe": False, "cadence": 1, "threshold": 0.2})
    assert (of_picture.clahe, of_picture.median, of_picture.threshold, of_film.cadence) == (False, 3, 0.2, 1)
    assert live_options("light")[0].detection_side < live_options()[0].detection_side
    assert live_options()[0].detection_side < AnalysisOptions().detection_side
    with pytest.raises(OptionError, match="unknown preset 'fast'; choose one of standard, light, advanced"):
        live_options("fast")
    with pytest.raises(OptionError, match="cadence has to be between"):
        open_session("nothing.mp4", cadence=0)

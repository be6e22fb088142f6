from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from live_support import (
    PHOTO,
    Gated,
    Watcher,
    empty_picture,
    face_picture,
    live_threads,
    session,
    steps,
    stop,
)

import mien
from mien.core.errors import CameraError, OptionError
from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions
from mien.live import PRESETS, LiveSession, live_options, open_session
from mien.testing import fake_model
from mien.video.open import open_live
from mien.video.write import FilmWriter


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
    camera.is_plugged = False
    camera.give(None)
    with pytest.raises(CameraError, match="camera 0 gives no pictures any more"):
        feed.take(30)
    assert live.wait(30)
    live.stop()
    assert isinstance(watcher.ends[0], CameraError)
    assert live.error is watcher.ends[0]
    with pytest.raises(CameraError):
        list(live.feed())


def test_a_camera_that_is_gone_for_a_while_is_told_of_and_goes_on(camera: Gated) -> None:
    live = session(camera)
    watcher = Watcher(live)
    live.start()
    watcher.next()
    camera.give(None)
    assert "gives no pictures; it is waited for, 15.5 s at most" in watcher.notice().text
    camera.give(face_picture())
    assert watcher.next().frame.index == 1
    assert watcher.notice().text == "camera 0 is back"
    stop(live, camera)
    assert live.error is None


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


def test_a_film_plays_in_a_cameras_place(shared: Path) -> None:
    film = shared / "media" / "three-people.mp4"
    live = LiveSession(open_live(film, VideoOptions(end=0.3)), steps(), VideoOptions(cadence=0.2))
    feed = live.feed()
    with live:
        shots = list(feed)
    assert shots[-1].frame.time_s < 0.3
    assert max(len(shot.analysis.faces) for shot in shots) >= 1


def test_a_film_whose_next_frame_is_far_away_is_not_waited_for(tmp_path: Path) -> None:
    with FilmWriter(tmp_path / "film.mp4", 64, 64) as writer:
        for time_s in (0.0, 3000.0):
            writer.write(np.zeros((64, 64, 3), np.uint8), time_s)
    live = LiveSession(open_live(tmp_path / "film.mp4"), steps())
    watcher = Watcher(live)
    live.start()
    assert watcher.next().frame.index == 0
    live.stop()
    assert live.stats.analysed == 1


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
    of_picture, of_film = live_options("advanced", {"clahe": False, "cadence": 0, "threshold": 0.2})
    assert (of_picture.clahe, of_picture.threshold, of_film.cadence) == (False, 0.2, 0)
    assert (of_picture.detection_side, of_film.smoothing) == (640, 0.5)
    assert live_options("light")[1].cadence > live_options()[1].cadence > of_film.cadence
    assert live_options()[0].detection_side < AnalysisOptions().detection_side
    with pytest.raises(OptionError, match="unknown preset 'fast'; choose one of standard, light, advanced"):
        live_options("fast")
    with pytest.raises(OptionError, match="cadence has to be between"):
        open_session("nothing.mp4", cadence=-1)

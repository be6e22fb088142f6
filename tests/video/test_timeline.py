"""Persons, shares, segments, transitions and events of a film."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timeline_support import RATE, face, head, hill, scored, timeline

from mien.core.errors import OptionError
from mien.core.film import Damage
from mien.core.film_results import FilmSummary
from mien.core.results import FrameAnalysis
from mien.video.timeline import Timeline

labels = st.sampled_from(["happy", "neutral", "sad", None])
films = st.lists(st.dictionaries(st.integers(0, 3), labels, max_size=3), max_size=40)


def test_shares_presence_and_dominance_are_by_time() -> None:
    summary = timeline([{0: "happy"}] * 30 + [{0: "sad"}] * 10 + [{0: None}] * 10 + [{}] * 50).summary()
    [track] = summary.tracks
    assert track.presence_s == pytest.approx(2.0)
    assert track.share == pytest.approx(0.5)
    assert track.shares["happy"] == pytest.approx(0.6)
    assert track.uncertain == pytest.approx(0.2)
    assert track.dominant == summary.dominant == "happy"
    assert (track.first.frame, track.last.frame, track.frames) == (0, 49, 50)
    assert [(part.label, part.start.frame) for part in track.segments] == [
        ("happy", 0),
        ("sad", 30),
        (None, 40),
    ]
    assert track.segments[-1].end_s == pytest.approx(2.0)
    assert sum(track.scores.values()) == pytest.approx(1)
    assert (summary.frames, summary.faces, summary.read_s) == (100, 50, pytest.approx(4.0))


def test_a_variable_rate_counts_time_not_frames() -> None:
    times = [0, 0.5, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
    summary = timeline([{0: "happy"}] * 2 + [{0: "sad"}] * 6, times).summary()
    assert summary.tracks[0].dominant == "happy"
    assert summary.tracks[0].shares["happy"] == pytest.approx(1.0 / 1.6)


def test_rare_frames_stand_for_the_time_between_them() -> None:
    summary = timeline([{0: "happy"}] * 4, [0, 5, 10, 15]).summary()
    assert summary.tracks[0].presence_s == pytest.approx(20)
    assert len(summary.tracks[0].segments) == 1


def test_a_hole_in_the_film_is_nobodys_time() -> None:
    times = [*np.arange(50) / RATE, *(100 + np.arange(50) / RATE)]
    summary = timeline([{0: "happy"}] * 100, times).summary(damage=[Damage(2.0, 100.0, 2450)])
    assert summary.read_s == pytest.approx(4.96, abs=0.05)
    assert summary.tracks[0].share == pytest.approx(1)
    assert len(summary.tracks[0].segments) == 2
    assert summary.damage[0].frames == 2450


@pytest.mark.parametrize(("away", "segments"), [(8, 1), (20, 2)])
def test_a_short_absence_is_bridged(away: int, segments: int) -> None:
    summary = timeline([{0: "happy"}] * 20 + [{}] * away + [{0: "happy"}] * 20).summary()
    assert len(summary.tracks[0].segments) == segments
    assert summary.tracks[0].presence_s == pytest.approx(40 / RATE)


def test_a_brief_track_is_no_person() -> None:
    summary = timeline([{0: "neutral", 1: "angry"}] * 6 + [{0: "neutral"}] * 60).summary()
    assert [track.brief for track in summary.tracks] == [False, True]
    assert [track.track_id for track in summary.persons] == [0]
    assert not summary.events
    assert timeline([{0: "happy"}] * 5).summary().persons  # the whole film is no longer


def test_transitions_leave_uncertain_out_and_stop_at_absence() -> None:
    shown = [("neutral", 10), (None, 5), ("neutral", 10), ("happy", 10), (None, 5), ("neutral", 10)]
    frames = [{0: label} for label, count in [*shown, ("happy", 10)] for _ in range(count)]
    frames += [{}] * 30 + [{0: "sad"}] * 10
    [track] = timeline(frames).summary().tracks
    assert [(one.before, one.after, one.count) for one in track.transitions] == [
        ("neutral", "happy", 2),
        ("happy", "neutral", 1),
    ]


def test_events_have_the_frames_of_the_source() -> None:
    curve = hill(200, 50, 6, 40, 8)
    built = Timeline(head())
    for place, happy in enumerate(curve):
        built.add(FrameAnalysis(100 + 2 * place, 4 + place / 10, (scored(7, float(happy)),)))
    [event] = built.summary().events
    assert (event.track_id, event.label) == (7, "happy")
    assert abs(event.onset.frame - 200) <= 4
    assert event.onset.time_s == pytest.approx(4 + (event.onset.frame - 100) / 20)
    assert abs(event.apex.frame - 212) <= 4
    assert abs(event.offset.frame - 308) <= 4


def test_an_event_does_not_reach_over_a_gap() -> None:
    built = Timeline(head())
    curve = hill(200, 50, 6, 80, 8)
    for place, happy in enumerate(curve):
        faces = () if 90 <= place < 115 else (scored(0, float(happy)),)
        built.add(FrameAnalysis(place, place / RATE, faces))
    one, two = built.summary().events
    assert (one.offset.frame, two.onset.frame) == (89, 115)


@settings(max_examples=60)
@given(frames=films, steps=st.lists(st.floats(0, 3), min_size=40, max_size=40))
def test_any_film_adds_up(frames: list[dict[int, str | None]], steps: list[float]) -> None:
    summary = timeline(frames, np.cumsum(steps).tolist()).summary(complete=False)
    assert summary.faces == sum(map(len, frames))
    assert sum(track.frames for track in summary.tracks) == summary.faces
    for track in summary.tracks:
        assert sum(track.shares.values()) + track.uncertain == pytest.approx(1, abs=1e-6)
        assert 0 <= track.presence_s <= summary.read_s + 1e-6
        ends = [part.end_s for part in track.segments]
        assert ends == sorted(ends)
        for before, after in zip(track.segments, track.segments[1:], strict=False):
            assert before.end_s <= after.start.time_s + 1e-9
            assert before.label != after.label or after.start.time_s > before.end_s
    assert FilmSummary.from_dict(json.loads(json.dumps(summary.to_dict()))) == summary


def test_an_empty_film_has_a_summary() -> None:
    summary = Timeline(head()).summary()
    assert (summary.frames, summary.read_s, summary.dominant, summary.tracks) == (0, 0, None, ())
    assert timeline([{}]).summary().read_s == pytest.approx(1 / RATE)


@pytest.mark.parametrize("second", [FrameAnalysis(0, 2.0, ()), FrameAnalysis(2, 0.5, ())])
def test_frames_come_in_order(second: FrameAnalysis) -> None:
    built = Timeline(head())
    built.add(FrameAnalysis(1, 1.0, ()))
    with pytest.raises(OptionError, match="order of time"):
        built.add(second)


def test_a_face_without_a_number_or_with_other_labels_is_refused() -> None:
    plain = face(0, "happy")
    with pytest.raises(OptionError, match="track_id"):
        Timeline(head()).add(FrameAnalysis(0, 0.0, (replace(plain, track_id=None),)))
    other = replace(plain, scores={"calm": 0.8, "cross": 0.2}, emotion="calm")
    with pytest.raises(OptionError, match="calm, cross"):
        Timeline(head()).add(FrameAnalysis(0, 0.0, (other,)))


def test_the_summary_can_be_asked_for_on_the_way() -> None:
    built = timeline([{0: "happy"}] * 10)
    assert built.summary().frames == 10
    built.add(FrameAnalysis(10, 0.4, (face(0, "happy"),)))
    assert built.summary().frames == 11
    times, confidence = built.confidence(0, 5)
    assert len(times) == len(confidence) == 5
    assert confidence == pytest.approx(0.8, abs=1e-3)


def test_hours_cost_little_memory() -> None:
    built = Timeline(head())
    frame = (face(0, "happy"), face(1, "sad"))
    built.add(FrameAnalysis(0, 0.0, frame))
    tracemalloc.start()
    for index in range(1, 5001):
        built.add(FrameAnalysis(index, index / RATE, frame))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown / 10_000 < 60  # bytes a face

"""Onset, apex and offset on curves whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timeline_support import hill

from mien.video.events import find_events

lengths = st.integers(1, 15)
rates = st.sampled_from([10, 12, 25, 30, 50, 60])


def found(curve: np.ndarray, rate: float = 25, stated: np.ndarray | None = None):
    return find_events(np.arange(len(curve)) / rate, curve, curve >= 0.45 if stated is None else stated)


@given(rate=rates, start=st.integers(8, 60), rise=lengths, fall=lengths, hold=st.integers(12, 90))
def test_a_rise_a_hold_and_a_fall_are_found_within_two_frames(
    rate: int, start: int, rise: int, fall: int, hold: int
) -> None:
    [event] = found(hill(start + rise + hold + fall + 30, start, rise, hold, fall), rate)
    assert abs(event.onset - start) <= 2
    assert abs(event.apex - (start + rise)) <= 2
    assert abs(event.offset - (start + rise + hold + fall)) <= 2
    assert event.score == pytest.approx(0.9, abs=0.02)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), rise=st.integers(1, 10), fall=st.integers(1, 10), hold=st.integers(15, 60))
def test_little_noise_moves_nothing_far(seed: int, rise: int, fall: int, hold: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.015, 200)
    [event] = found(np.clip(hill(200, 40, rise, hold, fall, base=0.1) + noise, 0, 1))
    assert abs(event.onset - 40) <= 2
    assert 40 + rise - 2 <= event.apex <= 40 + rise + hold
    assert abs(event.offset - (40 + rise + hold + fall)) <= 2


def test_much_noise_rarely_moves_them() -> None:
    random = np.random.default_rng(3)
    near = []
    for _ in range(200):
        rise, fall = random.integers(1, 12, 2)
        curve = hill(160, 40, rise, 40, fall, base=0.1) + random.normal(0, 0.05, 160)
        events = found(np.clip(curve, 0, 1))
        assert len(events) == 1
        near.append(abs(events[0].onset - 40) <= 2 and abs(events[0].offset - 80 - rise - fall) <= 2)
    assert np.mean(near) >= 0.95


@given(gap=st.integers(12, 60), second=st.floats(0.5, 0.9))
def test_two_expressions_with_a_valley_are_two(gap: int, second: float) -> None:
    curve = np.maximum(hill(300, 30, 5, 20, 5), hill(300, 60 + gap, 5, 20, 5, top=second))
    one, two = found(curve)
    assert abs(one.offset - 60) <= 2
    assert abs(two.onset - (60 + gap)) <= 2


def test_a_dip_does_not_part_an_expression() -> None:
    curve = hill(150, 30, 5, 60, 5)
    curve[60:66] -= 0.2
    [event] = found(curve)
    assert (abs(event.onset - 30) <= 2, abs(event.offset - 100) <= 2) == (True, True)


def test_single_odd_frames_are_no_expression() -> None:
    curve = np.full(200, 0.1)
    curve[[50, 90, 91]] = 0.95
    assert found(curve) == []


def test_what_was_there_before_begins_with_the_first_frame() -> None:
    [event] = found(hill(100, -50, 5, 80, 10))
    assert event.onset == 0
    assert abs(event.offset - 45) <= 2
    [event] = found(hill(100, 60, 10, 200, 10))
    assert abs(event.onset - 60) <= 2
    assert event.offset == 99
    [event] = found(np.full(60, 0.8))
    assert (event.onset, event.apex, event.offset) == (0, 0, 59)


def test_what_is_not_stated_is_no_event() -> None:
    curve = hill(100, 30, 5, 20, 5)
    assert found(curve, stated=np.zeros(100, bool)) == []
    assert found(curve, stated=np.arange(100) < 40) == []


def test_a_small_rise_is_no_event() -> None:
    assert found(hill(100, 30, 5, 20, 5, base=0.5, top=0.7), stated=np.ones(100, bool))[0].onset == 0
    assert len(found(hill(100, 30, 5, 20, 5, base=0.2, top=0.4))) == 0


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_curves_of_few_frames(length: int) -> None:
    assert len(found(np.full(length, 0.9))) == min(1, length)
    assert found(np.zeros(length)) == []


@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0.001, 2))
def test_any_curve_gives_events_in_order(values: list[float], step: float) -> None:
    curve = np.array(values)
    events = find_events(np.arange(len(curve)) * step, curve, np.ones(len(curve), bool))
    for event in events:
        assert 0 <= event.onset <= event.apex <= event.offset < len(curve)
        assert 0 <= event.score <= 1
    assert [event.apex for event in events] == sorted({event.apex for event in events})


def test_frames_at_one_time_are_no_trouble() -> None:
    curve = hill(60, 20, 5, 20, 5)
    assert len(find_events(np.zeros(60), curve, curve > 0.4)) == 1

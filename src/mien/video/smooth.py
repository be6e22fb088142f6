"""Steady boxes and steady emotions, without hiding a real change for long."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien.core.geometry import Box
from mien.core.video_options import VideoOptions

_CHANGED = 0.35  # total variation between what is shown and what is seen that makes a new expression
_SETTLE_S = 0.1  # that a new expression has to last before it is believed
_TIE = 1e-6
_LEAST_S = 1e-3  # a window of less steadies nothing


@dataclass(eq=False)
class _State:
    time_s: float
    scores: NDArray[np.float64]
    box: NDArray[np.float64]  # centre x, centre y, width, height
    fresh: NDArray[np.float64] | None = None  # mean of scores since they began to differ
    fresh_since_s: float = 0.0
    fresh_count: int = 0
    stated: int = -1
    certain: bool = True
    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))


class Smoother:
    """Steadies the faces of each track.

    Scores are averaged with weights that fade over the window; an expression that differs clearly from
    the average and lasts a tenth of a second replaces it at once, so a real change shows soon and a single
    odd frame not at all. Boxes go through a One Euro filter (Casiez, Roussel, Vogel 2012): still faces
    stand still, moving ones are not left behind.
    """

    def __init__(self, options: VideoOptions) -> None:
        self._window_s = options.smoothing
        self._hysteresis = options.hysteresis
        self._states: dict[int, _State] = {}

    @property
    def is_off(self) -> bool:
        """Every frame stays as it was read alone."""
        return self._window_s < _LEAST_S

    def step(
        self, track_id: int, time_s: float, box: Box, scores: NDArray[np.float64]
    ) -> tuple[Box, NDArray[np.float64]]:
        """Return the steadied box and scores, float64 (labels,), of a face in the next frame of its track."""
        if self.is_off:
            return box, scores
        place = np.array([box.x + box.width / 2, box.y + box.height / 2, box.width, box.height])
        state = self._states.get(track_id)
        if state is None or time_s - state.time_s > max(1.0, 2 * self._window_s):
            self._states[track_id] = state = _State(time_s, scores.copy(), place)
        else:
            passed = max(time_s - state.time_s, 1e-3)
            state.scores = self._steadied(state, scores, time_s, passed)
            state.box = self._placed(state, place, passed)
            state.time_s = time_s
        return _whole(state.box), self._stated(state)

    def is_certain(self, track_id: int, confidence: float, threshold: float) -> bool:
        """Tell whether the emotion of the face that was steadied last in a track is to be stated.

        Never below the threshold; and after an uncertain frame only from half of the hysteresis above it,
        so that a confidence that trembles about the threshold does not flicker.
        """
        if self.is_off:
            return confidence >= threshold
        state = self._states[track_id]
        state.certain = confidence >= threshold + (0.0 if state.certain else self._hysteresis / 2)
        return state.certain

    def forget(self, before_s: float) -> None:
        """Let go of tracks that were not seen since."""
        self._states = {number: one for number, one in self._states.items() if one.time_s >= before_s}

    def _steadied(
        self, state: _State, scores: NDArray[np.float64], time_s: float, passed: float
    ) -> NDArray[np.float64]:
        kept = math.exp(-passed / self._window_s)
        if 0.5 * float(np.abs(scores - state.scores).sum()) < _CHANGED:
            state.fresh = None
            return kept * state.scores + (1 - kept) * scores
        if state.fresh is None:
            state.fresh, state.fresh_since_s, state.fresh_count = scores.copy(), time_s, 1
        else:
            state.fresh_count += 1
            state.fresh = state.fresh + (scores - state.fresh) / state.fresh_count
        if time_s - state.fresh_since_s >= min(_SETTLE_S, self._window_s) and state.fresh_count > 1:
            changed, state.fresh = state.fresh, None
            return changed
        return kept * state.scores + (1 - kept) * scores

    def _stated(self, state: _State) -> NDArray[np.float64]:
        """Let the stated label stay on top while another one leads by less than the hysteresis."""
        top = int(state.scores.argmax())
        held = state.stated
        if held < 0 or top == held or state.scores[top] - state.scores[held] > self._hysteresis:
            state.stated = top
            return state.scores
        shared = (state.scores[top] + state.scores[held]) / 2
        out = state.scores.copy()
        out[top], out[held] = shared - _TIE, shared + _TIE
        return out

    def _placed(self, state: _State, place: NDArray[np.float64], passed: float) -> NDArray[np.float64]:
        speed = (place - state.box) / passed
        state.speed = state.speed + _share(1.0, passed) * (speed - state.speed)
        # In widths of the face a second, so that faces near and far are steadied alike.
        relative = np.abs(state.speed) / max(float(state.box[2]), 1.0)
        cutoff = 0.5 / self._window_s + 2.0 * relative.max()
        return np.asarray(state.box + _share(cutoff, passed) * (place - state.box), np.float64)


def _share(cutoff_hz: float, passed: float) -> float:
    """Return how much of a new value a low pass of this cutoff takes after `passed` seconds."""
    turn = 2 * math.pi * float(cutoff_hz) * passed
    return turn / (turn + 1)


def _whole(place: NDArray[np.float64]) -> Box:
    width, height = max(1, round(float(place[2]))), max(1, round(float(place[3])))
    return Box(round(float(place[0]) - width / 2), round(float(place[1]) - height / 2), width, height)

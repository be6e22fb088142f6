"""Who showed what when, along a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.core.colours import emotion_colour
from mien.core.emotions import LANGUAGES, display_name
from mien.figures.plot import Plot
from mien.figures.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import Locator

# English, Vietnamese, Romanian, as in LANGUAGES.
_TEXTS = {
    "title": ("Emotions over time", "Cảm xúc theo thời gian", "Emoțiile în timp"),
    "time": ("time in the film", "thời gian trong phim", "timpul în film"),
    "seconds": ("seconds", "giây", "secunde"),
    "event": ("event, apex", "sự kiện, đỉnh", "eveniment, apex"),
    "no_face": ("no face", "không có khuôn mặt", "nicio față"),
}
_LANE = 0.8  # of the room of a lane, in height
_HATCH = "////"
_PALE = 0.35
_COLUMNS = 3
_MOST_BANDS = 400  # a lane: more than the figure has pixels for
_LEAST_APART = 0.1  # of a channel, between a colour and the background


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of one emotion: seconds, and the label, None where uncertain."""

    start_s: float
    end_s: float
    label: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """An event: the seconds of its onset, apex and offset, and its label."""

    onset_s: float
    apex_s: float
    offset_s: float
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One person.

    Attributes:
        name: beside the lane.
        bands: what is stated when; where none is, the person is not seen.
        times: seconds at which the confidence is known, rising, float64 (points,).
        confidence: in [0, 1], float64 (points,).
        marks: events.
    """

    name: str
    bands: Sequence[Band]
    times: NDArray[np.float64]
    confidence: NDArray[np.float64]
    marks: Sequence[Mark] = ()


def film_timeline(
    lanes: Sequence[Lane], labels: Sequence[str], end_s: float, *, language: str = "en"
) -> Plot:
    """Return a lane a person: colours are emotions, their height the confidence, triangles events.

    Uncertain stretches are hatched. A line over an event goes from its onset to its offset, a triangle
    stands at its apex.

    Args:
        lanes: of all persons, from the top.
        labels: of the model, in card order: that of the legend, which names those that occur.
        end_s: of the film, in seconds.
        language: of every text, "en", "vi" or "ro".

    Raises:
        OptionError: the language is unknown.
    """
    display_name(None, language)
    words = {name: texts[LANGUAGES.index(language)] for name, texts in _TEXTS.items()}
    marked = any(lane.marks for lane in lanes)
    used = [label for label in labels if any(b.label == label for lane in lanes for b in lane.bands)]
    unsure = any(band.label is None for lane in lanes for band in lane.bands)

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        for number, lane in enumerate(lanes):
            _draw_lane(axes, theme, lane, number)
        axes.set_xlim(0, max(end_s, 1e-3))
        axes.set_ylim(max(len(lanes), 1) - 0.4, -0.6)
        axes.set_yticks(range(len(lanes)), [lane.name for lane in lanes])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_locator(_ticks(end_s))
        axes.xaxis.set_major_formatter(lambda value, _: _clock(value, end_s, language))
        axes.set_xlabel(words["time" if end_s >= 60 else "seconds"])
        if not lanes:
            axes.text(0.5, 0.5, words["no_face"], transform=axes.transAxes, ha="center", color=theme.muted)
        marks = [_event_handle(theme, words["event"])] if marked else []
        if used or unsure:
            figure.legend(
                handles=[*_legend(theme, used, unsure, language), *marks],
                loc="outside upper left",
                ncols=_COLUMNS,
                handlelength=1.4,
                columnspacing=1.2,
            )

    rows = -(-(len(used) + unsure + marked) // _COLUMNS)
    return Plot("timeline", words["title"], 0.85 + 0.24 * rows + 0.52 * max(len(lanes), 1), draw)


def _draw_lane(axes: Axes, theme: Theme, lane: Lane, number: int) -> None:
    """Fill the lane palely, and up to the confidence with the full colour."""
    from matplotlib.collections import PolyCollection

    foot = number + _LANE / 2
    shapes: dict[str | None, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
    for band in _drawable(lane.bands):
        shapes.setdefault(band.label, []).append(_shape(lane, band, foot))
    # One collection a colour: thousands of single ones would take a minute to draw.
    for label, parts in shapes.items():
        colour = _colour(label, theme)
        backs = [back for back, _ in parts]
        axes.add_collection(PolyCollection(backs, facecolor=colour, alpha=_PALE, linewidth=0))
        hatch = _HATCH if label is None else None
        # Light colours on light paper need an edge to be seen.
        fronts = [front for _, front in parts]
        axes.add_collection(
            PolyCollection(fronts, facecolor=colour, edgecolor=theme.muted, linewidth=0.4, hatch=hatch)
        )
    head = foot - _LANE - 0.04
    apexes = [mark.apex_s for mark in lane.marks]
    starts, ends = [mark.onset_s for mark in lane.marks], [mark.offset_s for mark in lane.marks]
    axes.hlines([head] * len(apexes), starts, ends, color=theme.text, linewidth=1)
    axes.plot(apexes, [head] * len(apexes), "v", color=theme.text, markersize=4, clip_on=False)


def _shape(lane: Lane, band: Band, foot: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two outlines, float64 (points, 2): of the whole band, and of its part up to the confidence."""
    first, last = np.searchsorted(lane.times, [band.start_s, band.end_s])
    times, heights = lane.times[first:last], lane.confidence[first:last]
    if len(times) == 0:  # shorter than the steps of the curve
        times = np.array([(band.start_s + band.end_s) / 2])
        heights = np.interp(times, lane.times, lane.confidence)
    x = np.concatenate([[band.start_s, band.start_s], times, [band.end_s, band.end_s]])
    y = foot - _LANE * np.concatenate([[0], heights[:1], heights, heights[-1:], [0]])
    ends, full = [band.start_s, band.end_s], foot - _LANE
    return np.array([*((end, foot) for end in ends), *((end, full) for end in reversed(ends))]), np.stack(
        [x, y], 1
    )


def _colour(label: str | None, theme: Theme) -> str:
    """Return the colour of an emotion; one that the background would swallow is mixed with grey."""
    from matplotlib.colors import to_hex, to_rgb

    colour, back = np.array(emotion_colour(label)) / 255, np.array(to_rgb(theme.background))
    if np.abs(colour - back).max() < _LEAST_APART:
        colour = 0.75 * colour + 0.25 * np.array(to_rgb(theme.muted))
    return str(to_hex(tuple(colour.tolist())))


def _drawable(bands: Sequence[Band]) -> Sequence[Band]:
    """Return as many bands as can be told apart: of very many, what is stated for longest in each step."""
    if len(bands) <= _MOST_BANDS:
        return bands
    start, end = bands[0].start_s, bands[-1].end_s
    width = max(end - start, 1e-9) / _MOST_BANDS
    steps: list[dict[str | None, float]] = [{} for _ in range(_MOST_BANDS)]
    for band in bands:
        first = min(int((band.start_s - start) / width), _MOST_BANDS - 1)
        last = min(int((band.end_s - start) / width), _MOST_BANDS - 1)
        for step in range(first, last + 1):
            left, right = start + step * width, start + (step + 1) * width
            inside = max(0.0, min(right, band.end_s) - max(left, band.start_s))
            steps[step][band.label] = steps[step].get(band.label, 0.0) + inside
    joined: list[Band] = []
    for step, seconds in enumerate(steps):
        left, right = start + step * width, start + (step + 1) * width
        if sum(seconds.values()) < width / 2:
            continue  # out of sight for most of it
        label = max(seconds, key=seconds.__getitem__)
        if joined and joined[-1].label == label and joined[-1].end_s >= left - width / 2:
            joined[-1] = Band(joined[-1].start_s, right, label)
        else:
            joined.append(Band(left, right, label))
    return joined


def _legend(theme: Theme, used: Sequence[str], unsure: bool, language: str) -> list[Patch]:
    from matplotlib.patches import Patch

    found: list[str | None] = [*used, *([None] if unsure else [])]
    return [
        Patch(
            facecolor=_colour(label, theme),
            edgecolor=theme.muted,
            linewidth=0.6,
            hatch=_HATCH if label is None else None,
            label=display_name(label, language),
        )
        for label in found
    ]


def _event_handle(theme: Theme, words: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=theme.text, linewidth=1, marker="v", markersize=4, label=words)


def _ticks(end_s: float) -> Locator:
    from matplotlib.ticker import MaxNLocator, MultipleLocator

    if end_s < 60:
        return MaxNLocator(nbins=6, steps=[1, 2, 5, 10])
    # Steps that people count time in.
    steps = (10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
    return MultipleLocator(next((step for step in steps if end_s / step <= 6), end_s / 5))


def _clock(value: float, end_s: float, language: str) -> str:
    if end_s < 60:
        return f"{value:g}" if language == "en" else f"{value:g}".replace(".", ",")
    seconds = round(value)
    if end_s < 3600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

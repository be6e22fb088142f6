"""Curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.figures.plot import Plot
from mien.figures.style import WIDTH, Theme, look, percent, share_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_MOST_POINTS = 400
_FEW = 10


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve of a figure.

    Attributes:
        label: for the legend.
        x, y: float64 (points,).
        area: shown in the legend.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float


def roc_curves(lines: Sequence[Line]) -> Plot:
    """Return ROC curves: false-positive rate across, true-positive rate up, the area in the legend."""

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = _square(figure, "false-positive rate", "true-positive rate")
        axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=1, linestyle="--")
        for number, line in enumerate(lines):
            axes.plot(*_thinned(line), **look(theme, number), label=f"{line.label}  {line.area:.3f}")
        axes.legend(loc="lower right", title="area under the curve", alignment="left")

    return Plot("roc", "ROC: each label against the rest", WIDTH * 0.92, draw)


def precision_recall_curves(lines: Sequence[Line]) -> Plot:
    """Return precision-recall curves: recall across, precision up, the average precision in the legend."""

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = _square(figure, "recall", "precision")
        for number, line in enumerate(lines):
            x, y = _thinned(line)
            axes.step(x, y, where="pre", **look(theme, number), label=f"{line.label}  {line.area:.3f}")
        # Curves fill the square; the legend stands above it.
        figure.legend(loc="outside upper left", ncols=2, title="average precision", alignment="left")

    rows = (len(lines) + 1) // 2
    return Plot("precision-recall", "Precision and recall of each label", WIDTH * 0.92 + 0.2 * rows, draw)


def reliability_diagram(
    edges: NDArray[np.float64],
    parts: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], float]],
) -> Plot:
    """Return confidence against accuracy, and how many faces have which confidence.

    Bins of fewer than 10 faces are hollow and not joined: their accuracy is chance.

    Args:
        edges: of the bins, float64 (bins + 1,).
        parts: for each line its mean confidence, its accuracy and its faces in every bin, and its expected
            calibration error.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], color=theme.muted, linewidth=1, linestyle="--", label="perfect")
        for number, (name, (confidence, accuracy, counts, error)) in enumerate(parts.items()):
            solid, few = counts >= _FEW, (counts > 0) & (counts < _FEW)
            shown = {**look(theme, number), "marker": "os^"[number % 3], "markersize": 5}
            label = f"{name}: error {error:.3f}"
            above.plot(confidence[solid], accuracy[solid], label=label, **shown)
            hollow = {**shown, "linestyle": "none", "markerfacecolor": "none"}
            above.plot(confidence[few], accuracy[few], **hollow)
        if any(((counts > 0) & (counts < _FEW)).any() for _, _, counts, _ in parts.values()):
            above.plot([], [], "o", color=theme.muted, markerfacecolor="none", label=f"below {_FEW} faces")
        for line in above.lines:
            line.set(clip_on=False, in_layout=False)  # a marker at 0 or 1 is whole, and takes no room
        centres = (edges[:-1] + edges[1:]) / 2
        width = float(edges[1] - edges[0]) / (len(parts) + 0.4)
        for number, (_, _, counts, _) in enumerate(parts.values()):
            shift = (number - (len(parts) - 1) / 2) * width
            below.bar(centres + shift, counts, width, color=theme.series[number])
        _shares(above, "y")
        above.set_ylabel("accuracy")
        below.set_ylabel("faces")
        below.set_xlabel("confidence")
        _shares(below, "x")
        figure.legend(*above.get_legend_handles_labels(), loc="outside upper left")

    return Plot("reliability", "Confidence against accuracy", WIDTH * 1.08, draw)


def risk_coverage_curve(
    coverage: NDArray[np.float64],
    risk: NDArray[np.float64],
    marked: tuple[float, float] | None = None,
) -> Plot:
    """Return the share of wrong answers against the share of faces answered.

    Args:
        coverage: float64 (points,), share of faces answered, rising to 1.
        risk: float64 (points,), share of wrong answers among them.
        marked: coverage and risk at the threshold of the card, or None.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        every = np.unique(np.linspace(0, len(coverage) - 1, _MOST_POINTS).astype(int))
        axes.plot(coverage[every], risk[every], color=theme.series[0])
        if marked is not None:
            text = (
                f"at the card's threshold:\n{percent(marked[0])} answered, {percent(marked[1])} of them wrong"
            )
            axes.plot(*marked, "o", color=theme.series[1], markersize=8, label=text)
            figure.legend(loc="outside upper left")
        axes.set_xlabel("faces answered, the most confident first")
        axes.set_ylabel("wrong answers among them")
        _shares(axes, "x")
        axes.set_ylim(0, max(0.1, float(risk.max()) * 1.08))
        axes.yaxis.set_major_formatter(share_tick)

    return Plot("risk-coverage", "What abstaining brings", WIDTH * 0.72, draw)


def training_curves(log: Mapping[str, Sequence[float]]) -> Plot:
    """Return loss, accuracy and learning rate over the epochs of a run.

    Args:
        log: the columns of a run's log.csv: epoch, train_loss, validation_loss, validation_accuracy and,
            where they are there, train_accuracy, learning_rate and best (true on epochs that were the best
            so far).
    """
    epochs = list(log["epoch"])
    parts = {"train": 0, "validation": 1}

    def draw(figure: FigureBase, theme: Theme) -> None:
        rated = "learning_rate" in log
        panels = figure.subplots(3 if rated else 2, sharex=True, height_ratios=(3, 3, 1)[: 2 + rated])
        for axes, what in zip(panels, ("loss", "accuracy"), strict=False):
            for part, number in parts.items():
                if values := log.get(f"{part}_{what}"):
                    axes.plot(epochs, values, label=part, **look(theme, number))
            axes.set_ylabel(what)
        panels[1].yaxis.set_major_formatter(share_tick)
        _mark_best(panels[1], theme)
        if rated:
            panels[2].plot(epochs, log["learning_rate"], color=theme.series[2])
            panels[2].set_ylabel("rate")
            panels[2].set_ylim(bottom=0)
        panels[-1].set_xlabel("epoch")
        panels[-1].xaxis.get_major_locator().set_params(integer=True)
        handles = {
            label: h
            for axes in panels[:2]
            for h, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=3)

    def _mark_best(axes: Axes, theme: Theme) -> None:
        best = [i for i, yes in enumerate(log.get("best", ())) if yes]
        if best:
            place = (epochs[best[-1]], log["validation_accuracy"][best[-1]])
            axes.plot(*place, "o", color=theme.series[1], label=f"best: {percent(place[1], 1)}")

    return Plot("training-curves", "Training", WIDTH * 1.12, draw)


def _square(figure: FigureBase, across: str, up: str) -> Axes:
    axes = figure.subplots()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    _shares(axes, "x")
    _shares(axes, "y")
    return axes


def _shares(axes: Axes, which: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(-0.01, 1.01)
    axis.set_ticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axis.set_major_formatter(share_tick)


def _thinned(line: Line) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A few hundred points draw the same curve as thousands, in a file that is a tenth as large."""
    if len(line.x) <= _MOST_POINTS:
        return line.x, line.y
    # Evenly along the curve, not along the points: steep parts keep theirs.
    way = np.concatenate([[0.0], np.hypot(np.diff(line.x), np.diff(line.y)).cumsum()])
    every = np.unique(np.searchsorted(way, np.linspace(0, way[-1], _MOST_POINTS)).clip(max=len(way) - 1))
    return line.x[every], line.y[every]

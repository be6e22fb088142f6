"""How a number is spread over faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mien.figures.plot import Plot
from mien.figures.style import WIDTH, Theme, look, share_tick

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase


def histogram(
    name: str, title: str, across: str, edges: Sequence[float], counts: Mapping[str, Sequence[int]]
) -> Plot:
    """Return which share of the faces lies in each bin, one line a split, so that splits compare.

    Args:
        name: of the figure's files.
        title: of the figure.
        across: what is counted, with its unit.
        edges: of the bins, one more than there are bins.
        counts: `{split: faces in each bin}`.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        for number, (split, faces) in enumerate(counts.items()):
            shares = np.asarray(faces) / max(sum(faces), 1)
            style = look(theme, number)
            if len(counts) == 1:
                axes.stairs(shares, edges, fill=True, alpha=0.25, color=style["color"])
            axes.stairs(shares, edges, label=split, linewidth=1.8, **style)
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(bottom=0)
        axes.set_xlabel(across)
        axes.set_ylabel("share of the faces")
        axes.yaxis.set_major_formatter(share_tick)
        if len(counts) > 1:
            figure.legend(loc="outside upper left", ncols=3)

    return Plot(name, title, WIDTH * 0.62 + 0.22 * (-(-len(counts) // 3)), draw)


def ranges(
    name: str,
    title: str,
    across: str,
    end: float,
    rows: Mapping[str, Mapping[str, tuple[float, float, float]]],
) -> Plot:
    """Return, for every label, where the middle nine tenths of its faces lie, and the median.

    Args:
        name: of the figure's files.
        title: of the figure.
        across: what is shown, with its unit.
        end: of the axis, which begins at 0.
        rows: `{split: {label: (5th percentile, median, 95th percentile)}}`.
    """
    labels = list(dict.fromkeys(label for split in rows.values() for label in split))

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        for number, (split, found) in enumerate(rows.items()):
            shift = (number - (len(rows) - 1) / 2) * 0.7 / len(rows)
            places = [labels.index(label) + shift for label in found]
            low, median, high = zip(*found.values(), strict=True) if found else ((), (), ())
            colour = theme.series[number % len(theme.series)]
            axes.hlines(places, low, high, color=colour, linewidth=3, alpha=0.55)
            axes.plot(median, places, "os^Dv"[number % 5], color=colour, markersize=6, label=split)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.set_xlim(0, end)
        axes.set_xlabel(across)
        if len(rows) > 1:
            figure.legend(loc="outside upper left", ncols=3)

    height = 1.0 + len(labels) * max(0.34, 0.2 * len(rows)) + 0.22 * (-(-len(rows) // 3))
    return Plot(name, title, height, draw)

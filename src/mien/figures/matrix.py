"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.figures.plot import Plot
from mien.figures.style import WIDTH, Theme, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import FigureBase

_MOST_WITH_NUMBERS = 12


def confusion_matrix(
    counts: NDArray[np.integer],
    rates: NDArray[np.floating],
    labels: Sequence[str],
    *,
    across: str = "predicted",
    up: str = "true",
) -> Plot:
    """Return the plot of a confusion matrix: the share of each row as colour and number, and the count.

    Args:
        counts: (labels, labels), true labels as rows and predicted labels as columns.
        rates: (labels, labels), the same as shares of each row, in [0, 1].
        labels: names.
        across: what the columns are.
        up: what the rows are.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        from matplotlib.colors import LinearSegmentedColormap

        axes = figure.subplots()
        scale = LinearSegmentedColormap.from_list("rates", [theme.low, theme.high])
        axes.imshow(rates, cmap=scale, vmin=0, vmax=1)
        axes.grid(False)
        places = range(len(labels))
        axes.set_xticks(places, labels, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(places, labels)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(True)
        if len(labels) <= _MOST_WITH_NUMBERS:
            _numbers(axes, scale)

    def _numbers(axes: Axes, scale: Colormap) -> None:
        size = min(10.0, 70 / len(labels))
        for (row, column), rate in np.ndenumerate(rates):
            colour = _legible(scale(float(rate)))
            above: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": size, "color": colour}
            below: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": size * 0.85, "color": colour}
            axes.text(
                column, row + 0.08, percent(rate), fontweight="bold" if row == column else None, **above
            )
            axes.text(column, row + 0.12, f"{counts[row, column]:,}", **below)

    return Plot("confusion-matrix", "Confusion matrix", WIDTH * 0.98, draw)


def _legible(cell: Sequence[float]) -> str:
    """Return white or black, whichever has more contrast with a cell of this colour (WCAG 2.2)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in cell[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # Both contrasts are equal where (L + 0.05)² is 1.05 · 0.05.
    return "#000000" if luminance > 0.179 else "#ffffff"

"""Sheets of faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.figures.plot import Plot
from mien.figures.style import WIDTH, Theme, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_COLUMNS = 4


class Mistake(NamedTuple):
    """A face that was read wrongly, uint8 grey (height, width), and as what with which confidence."""

    image: NDArray[np.uint8]
    true: str
    predicted: str
    confidence: float


def mistakes_sheet(mistakes: Sequence[tuple[NDArray[np.uint8], str, str, float]]) -> Plot:
    """Return faces that were read wrongly with what they were read as, how surely, and their label.

    Args:
        mistakes: for each the face, uint8 grey (height, width), its true label, the predicted label and
            the confidence in [0, 1].
    """
    faces = [Mistake(*mistake) for mistake in mistakes]

    def draw(figure: FigureBase, theme: Theme) -> None:
        rows = max(1, -(-len(faces) // _COLUMNS))
        grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
        for axes in grid:
            axes.axis("off")
        for axes, face in zip(grid, faces, strict=False):
            _show(axes, face.image)
            read = f"{face.predicted} {percent(face.confidence)}"
            _caption(axes, read, 3, color=theme.series[1], fontweight="bold")
            _caption(axes, f"label {face.true}", 14)

    rows = max(1, -(-len(faces) // _COLUMNS))
    return Plot("mistakes", "The most confident mistakes", rows * (WIDTH / _COLUMNS + 0.34) + 0.1, draw)


def sample_sheet(samples: Mapping[str, NDArray[np.uint8]]) -> Plot:
    """Return one row of faces for each label.

    Args:
        samples: `{label: uint8 grey (faces, height, width)}`; as many columns as the longest row.
    """
    columns = max((len(faces) for faces in samples.values()), default=1) or 1

    def draw(figure: FigureBase, theme: Theme) -> None:
        grid = figure.subplots(len(samples), columns, squeeze=False, gridspec_kw={"wspace": 0.02})
        for row, (label, faces) in zip(grid, samples.items(), strict=True):
            for axes in row:
                axes.axis("off")
            for axes, face in zip(row, faces, strict=False):
                _show(axes, face)
            row[0].text(
                -0.08,
                0.5,
                label,
                transform=row[0].transAxes,
                ha="right",
                va="center",
                fontsize=10,
                color=theme.text,
            )

    return Plot("samples", "Faces of each label", len(samples) * (WIDTH - 0.9) / columns + 0.1, draw)


def _show(axes: Axes, face: NDArray[np.uint8]) -> None:
    axes.imshow(face, cmap="gray", vmin=0, vmax=255)


def _caption(axes: Axes, text: str, below: float, **look: Any) -> None:
    """Write under a face, so many points below its edge."""
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(text, (0, 0), (0, -below), ha="left", va="top", fontsize=9, **place, **look)

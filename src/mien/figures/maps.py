"""Maps over a face, and the response of a network's layers to it."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import MissingExtraError
from mien.figures.plot import Plot
from mien.figures.style import WIDTH, Theme, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import FigureBase

_COLUMNS = 4
_HEAT, _RESPONSE = "inferno", "viridis"
_AGAINST, _FOR = "#2b83d6", "#ee6c0a"
_STRONGEST = 0.82  # opacity of a map's strongest place
_STRIP = 48  # numbers a line of a layer without sides
_MOST_LETTERS = 72  # of a line about a layer
_LABEL = 0.19  # inches of a line of text


class LayerMaps(NamedTuple):
    """A layer's response: its title, a line about it, and its maps float32 (channels, height, width)."""

    title: str
    about: str
    maps: NDArray[np.float32]


def heat_maps(
    crop: NDArray[np.uint8], maps: Sequence[tuple[str, float, NDArray[np.floating]]], chosen: int
) -> Plot:
    """Return a face beside the same face under the map of every label.

    Args:
        crop: uint8 (height, width) grey or (height, width, 3) RGB.
        maps: for each label its name, its probability, and its map (height, width) in [0, 1].
        chosen: index of the label that stands out.
    """
    rows = -(-(len(maps) + 1) // _COLUMNS)

    def draw(figure: FigureBase, theme: Theme) -> None:
        grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
        for axes in grid:
            axes.axis("off")
        _face(grid[0], crop)
        _caption(grid[0], "the face", color=theme.muted)
        for number, (axes, (label, score, map_)) in enumerate(zip(grid[1:], maps, strict=False)):
            axes.imshow(overlaid(crop, map_), interpolation="bicubic")
            look: dict[str, Any] = (
                {"color": theme.series[0], "fontweight": "bold"} if number == chosen else {}
            )
            _caption(axes, f"{label} {percent(score, 1)}", **look)
            if number == chosen:
                _frame(axes, theme.series[0])

    height = rows * (WIDTH / _COLUMNS * _ratio(crop) + _LABEL + 0.06)
    return Plot("grad-cam", "Grad-CAM of every emotion", height, draw, raster=True)


def occlusion_map(
    crop: NDArray[np.uint8], drops: NDArray[np.floating], label: str, patch: tuple[int, int]
) -> Plot:
    """Return a face with the patch that moves over it, and what covering each place does.

    Args:
        crop: uint8 (height, width) grey or (height, width, 3) RGB.
        drops: (height, width), by how much the probability falls where a place is covered; below 0 it rises.
        label: whose probability.
        patch: its width and height in pixels of the crop.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        left, right = figure.subplots(1, 2)
        for axes in (left, right):
            axes.axis("off")
        covered = np.array(crop)
        covered[: patch[1], : patch[0]] = np.rint(crop.mean(axis=(0, 1)))
        _face(left, covered)
        _caption(left, "a patch, in its first place", color=theme.muted)
        right.imshow(overlaid(crop, drops, signed=True), interpolation="bicubic")
        most = max(float(np.abs(drops).max()), 1e-9)
        scale = ScalarMappable(Normalize(-100 * most, 100 * most), _signed_colours())
        bar = figure.colorbar(scale, ax=[left, right], location="bottom", aspect=45, pad=0.06, fraction=0.06)
        bar.set_label(f"covered here, “{label}” loses so many points of probability", fontsize=10)
        bar.outline.set_visible(False)
        bar.ax.grid(False)

    return Plot(
        "occlusion", "What covering a part changes", WIDTH / 2 * _ratio(crop) + 0.85, draw, raster=True
    )


def layer_sheet(layers: Sequence[LayerMaps]) -> Plot:
    """Return the response of every layer of a network to a face: a row of maps a layer.

    Each map has its own scale from its least to its greatest value; a layer without sides is a strip of one
    cell a channel.

    Args:
        layers: in the order they run, with the maps to show of each.
    """
    pictures = [layer_picture(layer.maps) for layer in layers]
    heights = [
        WIDTH * min(1.0, _width(picture)) * picture.shape[0] / picture.shape[1] for picture in pictures
    ]

    def draw(figure: FigureBase, theme: Theme) -> None:
        rows = [height + 2.3 * _LABEL for height in heights]
        parts = figure.subfigures(len(layers), 1, squeeze=False, height_ratios=rows)[:, 0]
        for part, layer, picture, height, row in zip(parts, layers, pictures, heights, rows, strict=True):
            part.text(0.01, 1 - 0.4 * _LABEL / row, layer.title, va="top", fontsize=9, fontweight="bold")
            part.text(
                0.01, 1 - 1.25 * _LABEL / row, _cut(layer.about), va="top", fontsize=8, color=theme.muted
            )
            axes = part.add_axes((0.01, 0.02, 0.98 * min(1.0, _width(picture)), height / row * 0.96))
            axes.imshow(picture, interpolation="nearest", aspect="auto")
            axes.axis("off")

    total = sum(height + 2.3 * _LABEL for height in heights)
    return Plot("layers", "Response of every layer", max(total, 0.5), draw, raster=True)


def layer_picture(maps: NDArray[np.floating], columns: int = 8) -> NDArray[np.uint8]:
    """Return maps side by side in colour, one pixel a number and free room between them transparent.

    Args:
        maps: (channels, height, width), at least one; each is drawn on its own scale. Maps of one number
            become one strip, on one scale.
        columns: maps a line.

    Returns:
        uint8 (height, width, 4) RGBA.
    """
    colours = _colours(_RESPONSE)
    if maps.shape[1:] == (1, 1):
        flat = _scaled(maps.ravel())
        lines = -(-len(flat) // _STRIP)
        cells = np.zeros((lines * min(len(flat), _STRIP), 4), np.uint8)
        cells[: len(flat)] = colours(flat, bytes=True)
        return cells.reshape(lines, -1, 4)
    count, height, width = maps.shape
    gap = max(1, round(width / 16))
    columns = min(columns, count)
    lines = -(-count // columns)
    sheet = np.zeros((lines * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for number, values in enumerate(maps):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        sheet[top : top + height, left : left + width] = colours(_scaled(values), bytes=True)
    return sheet


def overlaid(
    crop: NDArray[np.uint8], values: NDArray[np.floating], *, signed: bool = False
) -> NDArray[np.uint8]:
    """Return a face under a map, uint8 (height, width, 3) RGB: the stronger, the less of the face shows.

    Args:
        crop: uint8 (height, width) grey or (height, width, 3) RGB.
        values: (height, width); in [0, 1], or of any size and sign with `signed`.
        signed: draw values below and above 0 in two colours, on a scale of their own.
    """
    face = crop if crop.ndim == 3 else crop[:, :, np.newaxis].repeat(3, 2)
    if signed:
        share = values / max(float(np.abs(values).max()), 1e-9)
        colour, strength = _signed_colours()((share + 1) / 2)[..., :3], np.abs(share)
    else:
        colour, strength = _colours(_HEAT)(0.15 + 0.8 * values)[..., :3], np.asarray(values)
    opacity = (_STRONGEST * np.sqrt(strength))[..., np.newaxis]
    mixed: NDArray[np.uint8] = np.rint(face * (1 - opacity) + 255 * colour * opacity).astype(np.uint8)
    return mixed


def _cut(text: str) -> str:
    """Return as much of a line as the page is wide."""
    return text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS].rsplit(",", 1)[0] + ", …"


def _scaled(values: NDArray[np.floating]) -> NDArray[np.floating]:
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low) or high <= low:
        return np.zeros_like(values)
    return np.asarray((values - low) / (high - low))


def _width(picture: NDArray[np.uint8]) -> float:
    """Share of the page's width: a layer of few numbers is not blown up."""
    return 1.0 if picture.shape[0] > 1 else max(0.12, picture.shape[1] / _STRIP)


def _colours(name: str) -> Colormap:
    try:
        from matplotlib import colormaps
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None
    return colormaps[name]


def _signed_colours() -> Colormap:
    try:
        from matplotlib.colors import LinearSegmentedColormap
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None
    return LinearSegmentedColormap.from_list("signed", [_AGAINST, "#b9b9b9", _FOR])


def _ratio(crop: NDArray[np.uint8]) -> float:
    return float(crop.shape[0] / crop.shape[1])


def _face(axes: Axes, crop: NDArray[np.uint8]) -> None:
    axes.imshow(crop, cmap="gray", vmin=0, vmax=255, interpolation="bicubic")


def _frame(axes: Axes, colour: str) -> None:
    from matplotlib.patches import Rectangle

    outline = {"fill": False, "edgecolor": colour, "linewidth": 2, "clip_on": False}
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, **outline))  # type: ignore[arg-type]


def _caption(axes: Axes, text: str, **look: Any) -> None:
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(text, (0, 0), (0, -4), ha="left", va="top", fontsize=9, **place, **look)


def png_bytes(picture: NDArray[np.uint8]) -> bytes:
    """Return uint8 (height, width, 3) RGB or (height, width, 4) RGBA as the bytes of a PNG file."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG", optimize=True)
    return content.getvalue()

"""How every figure looks: two themes, one font, colours that stay apart for colour-blind readers.

The series colours begin with those of Okabe and Ito (2008), made darker or lighter until each stands out
from its background with a contrast of at least 3:1; the line style changes with the colour, so that colour
never stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WIDTH = 4.8
"""Inches. At this width the text is still readable on a phone that is 390 pixels wide."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as #rrggbb.

    Attributes:
        name: "light" or "dark".
        background, text: of the figure.
        muted: axes, ticks and reference lines.
        grid: lines behind the data.
        series: of lines and bars, taken in turn.
        low, high: ends of the scale of a matrix.
    """

    name: str
    background: str
    text: str
    muted: str
    grid: str
    series: tuple[str, ...]
    low: str
    high: str

    def settings(self) -> dict[str, Any]:
        """Return matplotlib's settings."""
        return {
            "font.family": ["DejaVu Sans"],
            "font.size": 11,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 11,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 10,
            "legend.frameon": False,
            "figure.facecolor": self.background,
            "savefig.facecolor": self.background,
            "axes.facecolor": self.background,
            "axes.edgecolor": self.muted,
            "axes.labelcolor": self.text,
            "axes.titlecolor": self.text,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.grid": True,
            "grid.color": self.grid,
            "grid.linewidth": 0.8,
            "text.color": self.text,
            "xtick.color": self.text,
            "ytick.color": self.text,
            "lines.linewidth": 1.8,
            # A label may hold a dollar sign; it is text, not a formula.
            "text.parse_math": False,
            # Shapes instead of text: a figure looks the same where the font is not installed.
            "svg.fonttype": "path",
            "image.interpolation": "nearest",
        }


LIGHT = Theme(
    name="light",
    background="#ffffff",
    text="#1c1e21",
    muted="#6b7078",
    grid="#e3e5e8",
    series=("#0072b2", "#d55e00", "#00875f", "#a6478c", "#1c1e21", "#9a6b00", "#3f83b8"),
    low="#ffffff",
    high="#0b4f86",
)
DARK = Theme(
    name="dark",
    background="#17191e",
    text="#e9eaec",
    muted="#9298a1",
    grid="#2f333a",
    series=("#56b4e9", "#f08a3c", "#2fc79a", "#e39ac6", "#f2f2f2", "#f0c240", "#8fa8ff"),
    low="#17191e",
    high="#7cc8f5",
)
THEMES = (LIGHT, DARK)

DASHES = ("-", (0, (5, 2)), (0, (1, 1.3)), (0, (6, 2, 1, 2)))
"""Line styles, changing with the colour."""


def percent(value: float, digits: int = 0) -> str:
    """Return a share in [0, 1] as text, such as 65.4 %, that does not break before the sign."""
    return f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def share_tick(value: float, _: object = None) -> str:
    """Return a share in [0, 1] as the text at an axis, with as many digits as it needs."""
    return f"{value * 100:.3g} %" if value else "0"


def look(theme: Theme, index: int) -> dict[str, Any]:
    """Return colour and line style of the line number `index`."""
    return {"color": theme.series[index % len(theme.series)], "linestyle": DASHES[index % len(DASHES)]}

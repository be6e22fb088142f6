"""A figure that is drawn when it is wanted, in the form that is wanted."""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.core.errors import MissingExtraError, OptionError
from mien.core.files import atomic_write
from mien.core.marks import EXIF
from mien.figures.style import LIGHT, THEMES, WIDTH, Theme

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

DPI = 180
_TITLE = 0.34  # inches
# matplotlib's settings belong to the whole process.
_SETTINGS = threading.Lock()
_TAG = re.compile(r"<[^>]*>")
_FRACTION = re.compile(r"(\d\.\d\d)\d+")
# Verdana's letters are as wide as those that the figure was laid out with.
_FONT, _FONTS = "'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif"


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure to be drawn.

    Attributes:
        name: of its files, such as "confusion-matrix".
        title: one line for people.
        height: in inches, without the title; every figure is as wide as `style.WIDTH`.
        draw: fills an empty matplotlib figure, or a part of one, in a theme.
        raster: whether it is made of pictures, so that an SVG of it says no more than a PNG.
    """

    name: str
    title: str
    height: float
    draw: Callable[[FigureBase, Theme], None]
    raster: bool = False

    def png(self, theme: Theme = LIGHT, *, titled: bool = True) -> bytes:
        """Return the figure as PNG, 864 pixels wide, with its title or without."""
        # Marked, so that a figure in a folder of photos is not taken for one.
        return self._drawn(
            "png", theme, titled, dpi=DPI, metadata={"Software": None}, pil_kwargs={"exif": EXIF}
        )

    def svg(self, theme: Theme = LIGHT, *, titled: bool = True, small: bool = False) -> str:
        """Return the figure as SVG, the same text for the same data, with its title or without.

        `small` is for pages: letters stay letters, in a font of the reader's, and places are rounded to a
        hundredth of a point, which makes a figure about a third as large.
        """
        # The date would make equal figures differ.
        if not small:
            metadata = {"Date": None, "Title": self.title}
            return self._drawn("svg", theme, titled, metadata=metadata).decode("utf-8")
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        letters = {"svg.fonttype": "none"}
        return _smaller(self._drawn("svg", theme, titled, letters, metadata=nothing).decode("utf-8"))

    def save(self, folder: Path, themes: Sequence[Theme] = THEMES) -> tuple[Path, ...]:
        """Write NAME.png and NAME.svg, and NAME-dark.png and NAME-dark.svg; return their paths.

        Of a figure made of pictures only the PNG files are written.

        Raises:
            MissingExtraError: matplotlib is not installed.
            OutputError: a file cannot be written.
        """
        paths = []
        for theme in themes:
            stem = self.name if theme is LIGHT else f"{self.name}-{theme.name}"
            for suffix in (".png",) if self.raster else (".png", ".svg"):
                self.write(folder / (stem + suffix), theme)
                paths.append(folder / (stem + suffix))
        return tuple(paths)

    def write(self, path: Path, theme: Theme = LIGHT) -> None:
        """Write one file, PNG or SVG by its suffix.

        Raises:
            OptionError: the suffix is another.
            MissingExtraError: matplotlib is not installed.
            OutputError: the file cannot be written.
        """
        kinds: dict[str, Callable[[Theme], bytes | str]] = {".png": self.png, ".svg": self.svg}
        if path.suffix.lower() not in kinds:
            raise OptionError(f"figures are written as .png or .svg, not {path.suffix!r}")
        atomic_write(path, kinds[path.suffix.lower()](theme))

    def _drawn(
        self, form: str, theme: Theme, titled: bool, own: Mapping[str, Any] | None = None, **settings: Any
    ) -> bytes:
        try:
            import matplotlib as mpl
            from matplotlib.figure import Figure
        except ImportError:
            raise MissingExtraError("matplotlib", "report") from None
        content = io.BytesIO()
        look: dict[Any, Any] = {
            **theme.settings(),
            "svg.hashsalt": f"{self.name}-{theme.name}",
            **(own or {}),
        }
        with _SETTINGS, mpl.rc_context(look), warnings.catch_warnings():
            # A label in a script that the font lacks is drawn as boxes; the tables have it in words.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            head = _TITLE if titled else 0.0
            figure = Figure(figsize=(WIDTH, self.height + head), layout="constrained")
            if titled:
                # A part of its own: the legends of some figures stand above their axes.
                above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(head, self.height))[:, 0]
                above.text(0.02, 0.4, self.title, va="center", fontsize=12, fontweight="bold")
                self.draw(below, theme)
            else:
                self.draw(figure, theme)
            figure.savefig(content, format=form, **settings)
        return content.getvalue()


def _smaller(svg: str) -> str:
    """Numbers that people read stand between the tags and keep their digits."""
    lines = (line.strip() for line in svg.splitlines())
    text = "\n".join(line for line in lines if line).replace(_FONT, _FONTS)
    return _TAG.sub(lambda tag: _FRACTION.sub(r"\1", tag[0]), text)

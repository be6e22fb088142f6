"""Every plot of Mien, from plain data; the only room that knows matplotlib (extra `report`).

A function gives a `Plot`, which is drawn when it is saved: as PNG or SVG, light or dark.
"""

from mien.figures.bars import class_distribution, corruption_bars, per_class_bars, score_bars
from mien.figures.lines import (
    Line,
    precision_recall_curves,
    reliability_diagram,
    risk_coverage_curve,
    roc_curves,
    training_curves,
)
from mien.figures.maps import (
    LayerMaps,
    heat_maps,
    layer_picture,
    layer_sheet,
    occlusion_map,
    overlaid,
    png_bytes,
)
from mien.figures.matrix import confusion_matrix
from mien.figures.plot import Plot
from mien.figures.sheets import mistakes_sheet, sample_sheet
from mien.figures.spread import histogram, ranges
from mien.figures.style import DARK, LIGHT, THEMES, Theme
from mien.figures.timeline import Band, Lane, Mark, film_timeline

__all__ = [
    "DARK",
    "LIGHT",
    "THEMES",
    "Band",
    "Lane",
    "LayerMaps",
    "Line",
    "Mark",
    "Plot",
    "Theme",
    "class_distribution",
    "confusion_matrix",
    "corruption_bars",
    "film_timeline",
    "heat_maps",
    "histogram",
    "layer_picture",
    "layer_sheet",
    "mistakes_sheet",
    "occlusion_map",
    "overlaid",
    "per_class_bars",
    "png_bytes",
    "precision_recall_curves",
    "ranges",
    "reliability_diagram",
    "risk_coverage_curve",
    "roc_curves",
    "sample_sheet",
    "score_bars",
    "training_curves",
]

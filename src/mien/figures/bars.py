"""Bar charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mien.figures.plot import Plot
from mien.figures.style import Theme, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


def per_class_bars(rows: Mapping[str, Mapping[str, float]]) -> Plot:
    """Return precision, recall and F1 of every label.

    Args:
        rows: `{label: {"precision": …, "recall": …, "f1": …}}`, shares in [0, 1].
    """
    names = {"precision": "precision", "recall": "recall", "f1": "F1"}

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        height = 0.8 / len(names)
        for number, (key, name) in enumerate(names.items()):
            places = [place + (number - 1) * height for place in range(len(rows))]
            values = [row[key] for row in rows.values()]
            axes.barh(places, values, height * 0.92, color=theme.series[number], label=name)
            _say(axes, places, values, [percent(value) for value in values], 8.5)
        _labels(axes, list(rows))
        _shares(axes, 1.08)
        figure.legend(loc="outside upper left", ncols=3)

    return Plot("per-class", "Precision, recall and F1 of each label", 1.2 + 0.62 * len(rows), draw)


def corruption_bars(
    clean: tuple[float, float, float], rows: Mapping[str, tuple[float, float, float]]
) -> Plot:
    """Return the accuracy on damaged faces beside that on the faces as they are.

    Args:
        clean: accuracy on the faces as they are, and the ends of its 95 % interval.
        rows: the same for each corruption.
    """
    every = {"as they are": clean, **{name.replace("_", " "): row for name, row in rows.items()}}

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        places = range(len(every))
        shares = [share for share, _, _ in every.values()]
        spread = [
            [share - low for share, low, _ in every.values()],
            [high - share for share, _, high in every.values()],
        ]
        colours = [theme.series[0], *[theme.series[1]] * len(rows)]
        ends = {"ecolor": theme.text, "capsize": 3, "elinewidth": 1.2}
        axes.barh(places, shares, 0.66, color=colours, xerr=spread, error_kw=ends)
        axes.axvline(clean[0], color=theme.muted, linewidth=1, linestyle="--")
        _say(
            axes,
            places,
            [high for _, _, high in every.values()],
            [percent(share, 1) for share in shares],
            9.5,
        )
        _labels(axes, list(every))
        _shares(axes, 1.12)
        axes.set_xlabel("accuracy, with 95 % interval")

    return Plot("corruptions", "Accuracy on damaged faces", 1.0 + 0.4 * len(every), draw)


def class_distribution(counts: Mapping[str, Mapping[str, int]]) -> Plot:
    """Return how many faces each label has in each split.

    Args:
        counts: `{split: {label: faces}}`; a data set without splits has one, of any name.
    """
    labels = list(dict.fromkeys(label for split in counts.values() for label in split))

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        height = 0.8 / max(len(counts), 1)
        for number, (split, faces) in enumerate(counts.items()):
            places = [p + (number - (len(counts) - 1) / 2) * height for p in range(len(labels))]
            values = [faces.get(label, 0) for label in labels]
            axes.barh(places, values, height * 0.92, color=theme.series[number % 7], label=split)
            total = max(sum(values), 1)
            _say(axes, places, values, [f"{value:,} ({percent(value / total)})" for value in values], 8.5)
        _labels(axes, labels)
        axes.set_xlabel("faces (and share of the split)" if len(counts) > 1 else "faces (and share)")
        axes.xaxis.set_major_locator(_few_ticks())
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.margins(x=0.24)
        if len(counts) > 1:
            figure.legend(loc="outside upper left", ncols=4)

    rows = len(labels) * max(1.0, 0.55 * len(counts))
    return Plot("class-distribution", "Faces of each label", 1.2 + 0.42 * rows, draw)


def score_bars(scores: Mapping[str, float], threshold: float | None = None) -> Plot:
    """Return the probability of every emotion for one face; the likeliest stands out.

    Args:
        scores: `{label: probability}`, shown in this order.
        threshold: of the model's card, drawn as a line where it is given.
    """
    top = max(scores, key=lambda label: scores[label])

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        values = list(scores.values())
        colours = [theme.series[0] if label == top else theme.muted for label in scores]
        axes.barh(range(len(scores)), values, 0.68, color=colours)
        _say(axes, range(len(scores)), values, [percent(value, 1) for value in values], 9.5)
        _labels(axes, list(scores))
        _shares(axes, 1.12)
        axes.set_xlabel("probability")
        if threshold:
            axes.axvline(threshold, color=theme.series[1], linestyle="--", label="below: uncertain")
            figure.legend(loc="outside upper left")

    return Plot("scores", "Probability of every emotion", 1.2 + 0.34 * len(scores), draw)


def _labels(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)


def _shares(axes: Axes, end: float) -> None:
    """Ticks end at 100 %, the axis a little later: numbers stand beside the bars."""
    axes.set_xlim(0, end)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20 %", "40 %", "60 %", "80 %", "100 %"])


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, integer=True)


def _say(
    axes: Axes, places: Sequence[float], ends: Sequence[float], texts: Sequence[str], size: float
) -> None:
    for place, end, text in zip(places, ends, texts, strict=True):
        # The background keeps reference lines out of the numbers.
        plate = {"facecolor": axes.get_facecolor(), "edgecolor": "none", "pad": 0.8}
        axes.annotate(
            text, (end, place), (6, 0), textcoords="offset points", va="center", fontsize=size, bbox=plate
        )

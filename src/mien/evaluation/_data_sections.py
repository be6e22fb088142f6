"""The parts of a report on a data set, each a figure with what it shows and the table behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mien import figures as draw
from mien.datasets import FaceDataset
from mien.datasets.describe import Description, VoteAgreement, sample_indices
from mien.datasets.overview import DataDescription
from mien.evaluation._sections import Section
from mien.figures.style import percent

_SAMPLES = 8
_MOST_SIZES = 12


def voted(found: DataDescription) -> dict[str, VoteAgreement]:
    """Return what the crowd says of each split that was voted on."""
    return {name: d.votes for name, d in found.splits.items() if d.votes is not None}


def sizes(found: DataDescription) -> set[tuple[int, int]]:
    """Return every size that pictures had before they were resized."""
    return {size for d in found.splits.values() for size in d.sizes or {}}


def data_sections(found: DataDescription, splits: Mapping[str, FaceDataset]) -> tuple[Section, ...]:
    """Return the parts that there is something to show for, in the order of the page."""
    return (*_numbers(found), *(_sheet(name, faces, len(splits) > 1) for name, faces in splits.items()))


def _numbers(found: DataDescription) -> list[Section]:
    parts = [_classes(found)]
    if len(sizes(found)) > 1:
        parts.append(_sizes(found))
    parts += [_brightness(found), _contrast(found), _brightness_by_label(found)]
    if votes := voted(found):
        parts.append(_top_share(votes))
        parts += [_votes(found, name, said) for name, said in votes.items()]
    return parts


def _said(name: str) -> str:
    return name or "all faces"


def _by_split(found: DataDescription, take: Callable[[Description], Any]) -> dict[str, Any]:
    return {_said(name): take(d) for name, d in found.splits.items()}


def _classes(found: DataDescription) -> Section:
    counts = _by_split(found, lambda d: d.counts)
    labels = next(iter(counts.values()))
    rows = tuple(
        (label, *(cell for d in counts.values() for cell in _count_and_share(d[label], sum(d.values()))))
        for label in labels
    )
    head = ("label", *(cell for name in counts for cell in (name, "share")))
    says = (
        "How many faces each label has. A network learns rare ones badly, and a figure on few faces is vague."
    )
    return Section(draw.class_distribution(counts), says, head, rows)


def _count_and_share(n: int, total: int) -> tuple[str, str]:
    return f"{n:,}", percent(n / max(total, 1), 1)


def _sizes(found: DataDescription) -> Section:
    counts = _by_split(found, lambda d: {f"{w}×{h}": n for (w, h), n in (d.sizes or {}).items()})
    total: Counter[str] = Counter()
    for split in counts.values():
        total.update(split)
    order = [size for size, _ in total.most_common()]
    drawn = order[:_MOST_SIZES]
    shown = {name: {size: split.get(size, 0) for size in drawn} for name, split in counts.items()}
    rows = tuple((size, *(f"{split.get(size, 0):,}" for split in counts.values())) for size in order)
    more = f" The {len(drawn)} most frequent of {len(order)} are drawn." if len(order) > len(drawn) else ""
    says = f"Width × height in pixels, before the faces were resized.{more}"
    plot = replace(draw.class_distribution(shown), name="sizes", title="Sizes of the pictures")
    return Section(plot, says, ("size", *counts), rows)


def _brightness(found: DataDescription) -> Section:
    says = (
        "The mean grey value of each face: 0 is black, 255 white. Splits that lie apart were made of "
        "different pictures."
    )
    return _histogram(
        "brightness", "Brightness of the faces", "mean grey value", 256, says, found, "brightness_histogram"
    )


def _contrast(found: DataDescription) -> Section:
    says = (
        "The standard deviation of the grey values in each face. Near 0 there is hardly anything to see: "
        "look at those faces."
    )
    return _histogram(
        "contrast",
        "Contrast of the faces",
        "standard deviation of the grey values",
        128,
        says,
        found,
        "contrast_histogram",
    )


def _histogram(
    name: str, title: str, across: str, end: float, says: str, found: DataDescription, which: str
) -> Section:
    counts = _by_split(found, lambda d: getattr(d, which))
    bins = len(next(iter(counts.values())))
    edges = np.linspace(0, end, bins + 1)
    rows = tuple(
        (f"{edges[i]:.0f} to {edges[i + 1]:.0f}", *(f"{split[i]:,}" for split in counts.values()))
        for i in range(bins)
    )
    return Section(draw.histogram(name, title, across, edges.tolist(), counts), says, (across, *counts), rows)


def _brightness_by_label(found: DataDescription) -> Section:
    rows = {
        name: {label: (s.low, s.median, s.high) for label, s in spreads.items()}
        for name, spreads in _by_split(found, lambda d: d.brightness_by_label).items()
    }
    plot = draw.ranges("brightness-by-label", "Brightness of each label", "mean grey value", 255, rows)
    says = (
        "The middle nine tenths of each label's faces, and the median. Labels that differ in brightness let "
        "a network guess by the light."
    )
    table = tuple(
        (label, name, *(f"{value:.0f}" for value in values))
        for name, spreads in rows.items()
        for label, values in spreads.items()
    )
    return Section(plot, says, ("label", "split", "5th percentile", "median", "95th percentile"), table)


def _top_share(by_split: Mapping[str, VoteAgreement]) -> Section:
    counts = {_said(name): votes.top_share_histogram for name, votes in by_split.items()}
    bins = len(next(iter(counts.values())))
    edges = np.linspace(0, 100, bins + 1)
    plot = draw.histogram(
        "vote-agreement",
        "How far voters agree",
        "votes for the favourite, in per cent",
        edges.tolist(),
        counts,
    )
    says = (
        "Which share of a face's votes its favourite label gets. Where voters are divided no label is right, "
        "and no model can be."
    )
    rows = tuple(
        (
            f"{edges[i]:.0f} to {edges[i + 1]:.0f}\N{NO-BREAK SPACE}%",
            *(f"{split[i]:,}" for split in counts.values()),
        )
        for i in range(bins)
    )
    return Section(plot, says, ("votes for the favourite", *counts), rows)


def _votes(found: DataDescription, name: str, votes: VoteAgreement) -> Section:
    labels = list(votes.given)
    counts = np.array([[votes.given[label][to] for to in labels] for label in labels])
    rates = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    suffix = f"-{name}" if len(found.splits) > 1 else ""
    of = f" of {name}" if suffix else ""
    plot = replace(
        draw.confusion_matrix(counts, rates, labels, across="voted for", up="label"),
        name=f"votes{suffix}",
        title=f"What voters say{of}",
    )
    rows = tuple(
        (
            label,
            *(f"{n:,}" for n in row),
            "–" if votes.by_label[label] is None else percent(votes.by_label[label] or 0.0, 1),
        )
        for label, row in zip(labels, counts.tolist(), strict=True)
    )
    says = (
        "Each row is a label: which share of the votes on its faces goes to each label, and how many they "
        f"are. {votes.faces:,} faces have {votes.votes:.1f} votes each in the mean; the favourite gets "
        f"{percent(votes.top_share, 1)} of them and is the label of {percent(votes.agreement, 1)} of the "
        "faces."
    )
    return Section(plot, says, ("label", *labels, "favourite is the label"), rows)


def _sheet(name: str, faces: FaceDataset, several: bool) -> Section:
    chosen = sample_indices(faces, _SAMPLES)
    plot = draw.sample_sheet({label: faces.images[where] for label, where in chosen.items()})
    if several:
        plot = replace(plot, name=f"samples-{name}", title=f"Faces of each label in {name}")
    places = faces.places
    rows = tuple((label, ", ".join(places[i] for i in where)) for label, where in chosen.items())
    says = "Faces drawn at random, the same ones each time. Do you agree with the labels?"
    return Section(plot, says, ("label", "files"), rows)

"""A report on a data set: its numbers, plots and samples on one HTML page that needs nothing else.

Needs the extra `report`. The files of a report:

| file               | what it holds                                                              |
| ------------------ | -------------------------------------------------------------------------- |
| report.html        | everything on one page, offline; light or dark as the reader's system says |
| description.json   | every number                                                               |
| NAME.png, NAME.svg | each figure; NAME-dark for dark pages                                      |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np

from mien.core.files import atomic_write, ensure_folder
from mien.datasets import FaceDataset
from mien.datasets.overview import DataDescription
from mien.evaluation._data_sections import data_sections, sizes, voted
from mien.evaluation._figure_files import save_figures
from mien.evaluation._html import render
from mien.figures.style import percent

MODULES = ("matplotlib", "jinja2")
"""What a report needs; see `check_report`."""


def write_data_report(folder: Path, found: DataDescription, splits: Mapping[str, FaceDataset]) -> Path:
    """Write the files of a report into `folder`, which is made where missing; return report.html.

    Args:
        folder: files of an earlier report in it are replaced.
        found: what `describe_splits` says of `splits`.
        splits: the faces, some of which are shown.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
        OutputError: a file cannot be written.
    """
    parts = data_sections(found, splits)
    title = f"{found.name}: the data set"
    every = list(found.splits.values())
    html = render(
        "data.html.j2",
        title,
        _headlines(found),
        parts,
        date.today(),
        faces=sum(d.faces for d in every),
        labels=list(every[0].counts),
        splits=[name for name in found.splits if name],
        notes=found.notes(),
    )
    ensure_folder(folder)
    save_figures(folder, (part.plot for part in parts))
    text = json.dumps(found.to_dict(), indent=2, ensure_ascii=False)
    atomic_write(folder / "description.json", text + "\n")
    # Last, so that a report.html stands for a whole report.
    atomic_write(folder / "report.html", html)
    return folder / "report.html"


def _headlines(found: DataDescription) -> list[tuple[str, str, str, str]]:
    every = found.splits
    first = next(iter(every.values()))
    faces = sum(d.faces for d in every.values())
    listed = ", ".join(f"{name} {d.faces:,}" for name, d in every.items() if name)
    light = np.average([d.brightness.mean for d in every.values()], weights=[d.faces for d in every.values()])
    rows = [
        ("faces", f"{faces:,}", listed, ""),
        ("labels", str(len(first.counts)), ", ".join(first.counts), ""),
        ("size", f"{first.width}×{first.height}", _sizes_say(found), "pixels"),
        ("brightness", f"{light:.0f}", "mean grey value of 255", "of a face, over all splits"),
    ]
    if first.imbalance is not None:
        rows.append(("imbalance", f"{first.imbalance:.1f}", "most frequent label over rarest", ""))
    copies = sum(d.copies for d in every.values())
    rows.append(("exact copies", f"{copies:,}", "within a split", "faces that are copies of one before them"))
    if people := sum(d.people or 0 for d in every.values()):
        rows.append(("persons", f"{people:,}", "", "where file names or the table tell them"))
    for name, votes in voted(found).items():
        rows.append(
            ("crowd agrees", percent(votes.agreement, 1), f"with the labels of {name or 'the faces'}", "")
        )
    return rows


def _sizes_say(found: DataDescription) -> str:
    return f"resized from {len(sizes(found))} sizes" if len(sizes(found)) > 1 else "pixels, all alike"

"""The faces that a model is measured on: what `mien evaluate` and `mien predict` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli._progress import reading

if TYPE_CHECKING:
    from mien.datasets import FaceDataset
    from mien.zoo.card import Card

ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="Name of a model, or an .onnx file.", show_default=False)
]
Split = Annotated[
    str | None,
    typer.Option(help="Split to measure on; the test split without it.", show_default=False),
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,…",
        help="Faces with these labels only, for a model that does not know the others.",
        show_default=False,
    ),
]
Resize = Annotated[
    bool, typer.Option("--resize", help="Resize faces of another size to the size that the model reads.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads; every processor is used without it.")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where the model runs.")]


def faces_of(
    data: Path, card: Card, split: str | None, labels: str | None, *, resize: bool, labelled: bool
) -> FaceDataset:
    """Return the faces of the wanted split; of several splits the test split, where none is named."""
    from mien.datasets import load_dataset

    with reading() as show:
        return load_dataset(
            data,
            split,
            default="test",
            side=card.input.width if resize and card.input.width == card.input.height else None,
            labels=labels.split(",") if labels else None,
            labelled=labelled,
            on_progress=show,
        )

"""What the commands that train, measure and export share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from mien.core.errors import MissingExtraError

if TYPE_CHECKING:
    from mien.datasets import FaceDataset

_T = TypeVar("_T")

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Labelled faces: a folder with one folder an emotion, or what else mien dataset reads.",
        show_default=False,
    ),
]
Votes = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Crowd votes (FER+'s CSV), which soften the targets.", show_default=False
    ),
]
Test = Annotated[
    Path | None,
    typer.Option(
        metavar="DATA",
        help="Faces to test on, or a data set with a test split: reported in the card and never used for "
        "anything else; training faces that also stand there are left out.",
        show_default=False,
    ),
]
Int8 = Annotated[
    bool,
    typer.Option(
        "--int8", help="Also write NAME-int8: a quarter of the size, faster on processors with VNNI."
    ),
]


def with_training(load: Callable[[], _T]) -> _T:
    """Return what `load` imports; a missing package of the train extra is said in Mien's words."""
    try:
        return load()
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "a package", "train") from None


def training_data(
    data: Path, votes: Path | None, test: Path | None, labels: Sequence[str] | None = None
) -> tuple[FaceDataset, FaceDataset | None, int]:
    """Return the faces to train on, those to report on, and how many stood in both and were left out.

    Of data with several splits the one that the use asks for is taken. `labels` may be one's own.
    """
    from mien.datasets import drop_shared, load_dataset, read_votes, with_votes

    faces = load_dataset(data, default="train", labels=labels)
    if votes is not None:
        faces = with_votes(faces, read_votes(votes))
    if test is None:
        return faces, None, 0
    reported = load_dataset(test, default="test", labels=labels)
    kept = drop_shared(faces, reported)
    return kept, reported, len(faces) - len(kept)

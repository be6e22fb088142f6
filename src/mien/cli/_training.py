"""What the commands that train, measure and export share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _exits
from mien.cli._progress import reading
from mien.cli._text import printable
from mien.core.errors import OptionError
from mien.training._extra import check_training
from mien.training.presets import PRESET_LABELS, PRESETS

if TYPE_CHECKING:
    from mien.datasets import FaceDataset
    from mien.training.distributed import Group
    from mien.training.start import Start

_MOST_NAMED = 20

DATA_FORMS = (
    "DATA is an image folder (faces/happy/1.png, or with splits faces/train/happy/1.png), a CSV table "
    "(fer2013.csv, train.csv) or a folder of tables, or CK+ or JAFFE as they are distributed. Emotions are "
    "understood in many spellings (anger, happiness, Furie)."
)

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Labelled faces: an image folder, a CSV table, CK+ or JAFFE.",
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

Preset = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(PRESETS),
        help="Recipe to start from: that of a reference system as it is published, or Mien's own.",
        autocompletion=lambda: list(PRESETS),
        show_default=False,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Options by name: .toml with lines such as epochs = 20, or the config.json of a run. They stand "
        "over the preset, and options given here over both.",
        show_default=False,
    ),
]
LabelNames = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...",
        help="Train on these emotions only, in this order; all of the data's without it (r5: five).",
        show_default=False,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MODEL|RUN|FILE",
        help="Fine-tune a model by its name (mien models list), the best weights of an earlier run, or "
        "those of a .safetensors file; --preset fine-tune suits a few hundred faces.",
        show_default=False,
    ),
]


@contextmanager
def together() -> Iterator[Group]:
    """Join the processes that torchrun started; the first one prints, and an error is said by one of them."""
    from mien.training.distributed import PeerError, joined

    with ExitStack() as stack:
        try:
            with joined() as group:
                if not group.first:
                    nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
                    stack.enter_context(redirect_stdout(nowhere))
                    stack.enter_context(redirect_stderr(nowhere))
                yield group
        except PeerError as error:
            raise typer.Exit(_exits.exit_code(error)) from error


Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="FILE|URL",
        help="Start from another program's weights: a safetensors file, or an https address of one, such as "
        "MobileNetV2's of ImageNet for r2 (torchvision's or timm's names).",
        show_default=False,
    ),
]
Sha256 = Annotated[
    str | None,
    typer.Option(
        "--sha256", metavar="HEX", help="Digest of --init; an address needs it.", show_default=False
    ),
]


def training_data(
    data: Path, votes: Path | None, test: Path | None, labels: Sequence[str] | None = None
) -> tuple[FaceDataset, FaceDataset | None, tuple[str, ...]]:
    """Return the faces to train on, those to report on, and the names of those left out, being in both.

    Of data with several splits the one that the use asks for is taken; a validation split comes with the
    training split, marked as `apart`. `labels` may be one's own.
    """
    from mien.datasets import drop_shared, load_dataset, load_training, read_votes, with_votes

    with reading() as show:
        faces = load_training(data, labels=labels, on_progress=show)
    if votes is not None:
        faces = with_votes(faces, read_votes(votes))
    if test is None:
        return faces, None, ()
    with reading() as show:
        reported = load_dataset(test, default="test", labels=labels, on_progress=show)
    kept = drop_shared(faces, reported, in_place=True)
    return kept, reported, tuple((Counter(faces.places) - Counter(kept.places)).elements())


def recipe_data(
    data: Path,
    votes: Path | None,
    test: Path | None,
    labels: str | None,
    preset: str | None,
    *,
    choosing: bool = True,
) -> tuple[FaceDataset, FaceDataset | None, tuple[str, ...]]:
    """Return what `training_data` does, and say on standard error what it is.

    Without `choosing`, the data's own validation split is left out.
    """
    chosen = labels.split(",") if labels else PRESET_LABELS.get(preset or "")
    faces, reported, shared = training_data(data, votes, test, chosen)
    apart = faces.apart
    kept = 0 if apart is None else int(apart.sum())
    if apart is not None and not choosing:
        faces = replace(faces.subset(~apart), apart=None)
    numbers = faces.counts(None if faces.apart is None else ~faces.apart)
    counts = ", ".join(f"{label} {count}" for label, count in numbers.items())
    typer.echo(printable(f"{sum(numbers.values())} faces ({counts})"), err=True)
    if kept and choosing:
        typer.echo(
            f"validation: the data's own split, {kept} faces, chooses the epoch, the temperature and the "
            "threshold; no part of the training split is kept apart (--validation is not used)",
            err=True,
        )
    elif kept:
        typer.echo(
            f"the validation split is not used ({kept} faces); each fold keeps its own apart", err=True
        )
    if shared:
        typer.echo(f"left out, because the test has them too {named(shared)}", err=True)
    return faces, reported, shared


def named(names: Sequence[str]) -> str:
    """Say how many faces these are, and the first of their names."""
    first = ", ".join(names[:_MOST_NAMED]) + " …" * (len(names) > _MOST_NAMED)
    return printable(f"({len(names)} face{'s' * (len(names) > 1)}): {first}")


def begin_from(place: str | None, init: str | None = None, sha256: str | None = None) -> Start | None:
    """Return the weights to start from, or None for fresh ones: `--from`, or `--init` with `--sha256`."""
    check_training()
    if place is not None and init is not None:
        raise OptionError("give --from or --init, not both")
    if sha256 is not None and init is None:
        raise OptionError("--sha256 belongs to --init; there is no file to check")
    if place is not None:
        from mien.training.start import read_start

        return read_start(place)
    if init is not None:
        from mien.training.foreign import read_init

        return read_init(init, sha256)
    return None

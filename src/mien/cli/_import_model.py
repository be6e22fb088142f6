"""`mien models import`: a model that someone trained with one of the reference systems."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._metrics import metric_lines
from mien.cli._options import with_options
from mien.cli._text import complain, printable
from mien.training._extra import with_training
from mien.training.keras_import.options import REFERENCES, ImportOptions

if TYPE_CHECKING:
    from mien.datasets import FaceDataset
    from mien.zoo.card import Card

HELP = f"""
Read a model that was trained with Keras in one of the reference systems, and add it to your models.

[bold]Examples[/bold]

  mien models import emotion_model.h5 --arch r1
  mien models import best.keras --arch r5 --labels angry,fear,happy,sad,surprise
  mien models import mobilenet.h5 --arch r2 --scale unit --test fer2013/test
  mien models import fer.weights.h5 --arch r4 --name fer --output models

FILE is what model.save or model.save_weights wrote: .h5, .weights.h5 or .keras. Keras is not needed, and \
nothing in the file is run. Layers are matched by order and kind; where the file describes them, so are \
activations, padding and pooling. A file of another network is refused by the name of its first layer that \
does not fit. The model is checked against PyTorch and then goes by its name, as with \
[bold]mien models add[/bold]; --output writes NAME.onnx, its card NAME.json and NAME.safetensors, for \
mien train --from, to a folder instead.

{_exits.HELP}
"""


@with_options(ImportOptions, panel="What such files do not always say")
def import_command(
    file: Annotated[Path, typer.Argument(help="The model or its weights.", show_default=False)],
    arch: Annotated[
        str,
        typer.Option(
            "--arch",
            "--architecture",
            metavar="|".join(REFERENCES),
            help="The reference system's network.",
            autocompletion=lambda: list(REFERENCES),
            show_default=False,
        ),
    ],
    options: ImportOptions,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            help="What the outputs mean, in their order. Without it: emotions by name, as Keras sorts "
            "folders (r5: without disgust and neutral); r4: FER2013's numbers, where neutral is last.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model; the file's without it.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write the model there instead of adding it to yours.",
            show_default=False,
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace your model of that name.")] = False,
    validation: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA", help="Faces to fit the temperature and the threshold on.", show_default=False
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="Faces to measure on, which the model has not seen; reported in the card.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Read, export, add, say what was assumed."""
    from mien.zoo import store

    rebuilding, writing = with_training(_load)
    chosen = name or _name_of(file)
    store.check_name(chosen, replace or output is not None)
    words = labels.split(",") if labels else None
    rebuilt = rebuilding.rebuild(file, arch, name=chosen, labels=words, options=options)
    _describe(rebuilt, labels_given=labels is not None)
    faces = {
        "validation": _faces(validation, "validation", rebuilt.card),
        "test": _faces(test, "test", rebuilt.card),
    }
    if output is not None:
        imported = writing.write(rebuilt, output, **faces)
        typer.echo(
            f"wrote {printable(str(imported.export.path))} and its card {imported.export.card.name}.json"
        )
    else:
        with tempfile.TemporaryDirectory() as folder:
            imported = writing.write(rebuilt, Path(folder), **faces)
            path = imported.export.path
            entry = store.add_model(path, path.with_suffix(".json"), replace_existing=replace)
        typer.echo(f"added {printable(entry.name)}: {printable(str(entry.path))}")
    _report(imported)


def _name_of(file: Path) -> str:
    """Return a name for the model out of the file's: best (1).weights.h5 becomes best-1."""
    stem = re.sub(r"(\.weights)?\.(h5|hdf5|keras)$", "", file.name, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9._]+", "-", stem).strip("-._")[:100] or "imported"


def _load() -> tuple[Any, Any]:
    from mien.training.keras_import import rebuild, write

    return rebuild, write


def _faces(data: Path | None, split: str, card: Card) -> FaceDataset | None:
    from mien.datasets import load_dataset

    if data is None:
        return None
    return load_dataset(data, default=split, side=card.input.width, labels=card.labels)


def _describe(rebuilt: Any, *, labels_given: bool) -> None:
    """Say what was read, and what was assumed because such files do not hold it."""
    card: Card = rebuilt.card
    reads, keras = card.input, f"Keras {rebuilt.version}" if rebuilt.version else "Keras"
    typer.echo(
        f"{card.architecture} of {printable(keras)}: {rebuilt.layers} layers with weights, "
        f"{card.parameters:,} parameters, faces of {reads.width}×{reads.height} ({reads.colour})"
    )
    usual = "" if labels_given else "  (as is usual for it; others with --labels)"
    typer.echo(f"labels: {printable(', '.join(card.labels))}{usual}")
    typer.echo(f"pixels: {card.training['pixels']}  (others with --scale, or --mean and --std)")
    if not rebuilt.described:
        complain("the file has weights alone: activations, padding and pooling are taken as published")


def _report(imported: Any) -> None:
    export = imported.export
    typer.echo(
        f"beside PyTorch on {export.parity.faces} made faces: largest probability difference "
        f"{export.parity.largest_difference:.1g}"
    )
    for line in metric_lines(export.card.metrics):
        typer.echo(line)
    if (better := imported.better) is not None:
        complain(
            f"far more faces would be read right with another order of the labels: {better.accuracy:.1%} in "
            f"place of {better.given:.1%} of {better.faces} test faces (the order is chosen on the others); "
            f"was it --labels {printable(','.join(better.labels))}? Only who trained the model knows: "
            "with an order taken from these faces, measure on others"
        )

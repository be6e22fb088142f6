"""`mien gallery`: the faces that live sessions and the desktop program saved."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _exits
from mien.cli._progress import ProgressBar
from mien.cli._text import complain, printable
from mien.core.emotions import LANGUAGES, display_name
from mien.core.errors import OptionError
from mien.core.files import shown

if TYPE_CHECKING:
    from mien.gallery import SavedFace

_GROUP = f"""
List, draw, export and delete saved faces.

'mien live --save-faces DIR', the key s of the live window and the desktop program save faces as \
EMOTION/EMOTION_CONFIDENCE_DAY_TIME_MICROSECONDS.jpg, uncertain ones in uncertain/. A face that is in the \
wrong folder is corrected by moving its file.

[bold]Faces are personal data.[/bold] Save and share them only of people who agreed. They stay on this \
machine, in the folder given with --gallery (your own without it). Whenever Mien saves a face, those older \
than --max-days days (30 without it) are deleted; 'mien gallery clear' deletes all of them now.

[bold]Examples[/bold]

  mien gallery list --emotion happy --since 2026-01-31

  mien gallery sheet --output sheet.png

  mien gallery export data/ --validation 0.1 --test 0.1

  mien gallery clear

{_exits.HELP}
"""

_EXPORT = """
Write saved faces as a folder that 'mien train DIR' and 'mien dataset describe DIR' read.

One folder an emotion, below train/, validation/ and test/ where shares are given. The pictures of one face \
that was followed through one session stay in one split, as they are nearly the same. Uncertain faces are \
left out: move them into the folder of an emotion first.
"""

app = typer.Typer(
    help=_GROUP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)

Place = Annotated[
    Path | None,
    typer.Option("--gallery", metavar="DIR", help="The folder of saved faces; your own without it."),
]
Emotion = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Faces of this emotion only, or 'uncertain'.", show_default=False),
]
Since = Annotated[
    datetime | None,
    typer.Option(metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], help="Saved on this day or later."),
]
Until = Annotated[
    datetime | None,
    typer.Option(metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], help="Saved on this day or earlier."),
]


def _chosen(
    place: Path | None, emotion: str | None, since: datetime | None, until: datetime | None
) -> list[SavedFace]:
    from mien.gallery import Gallery

    gallery = Gallery(place)
    if place is not None and not place.is_dir():
        raise OptionError(f"there is no folder {shown(place)}; check the name")
    return gallery.faces(
        emotion,
        since=None if since is None else since.date(),
        until=None if until is None else until.date(),
    )


@app.command("list")
def list_command(
    gallery: Place = None,
    emotion: Emotion = None,
    since: Since = None,
    until: Until = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: one object a face, with everything known.")
    ] = False,
) -> None:
    """List saved faces, the oldest first: name, emotion, confidence, when, from which source.

    In a pipe the columns are separated by tabs.
    """
    faces = _chosen(gallery, emotion, since, until)
    if not faces:
        complain("no saved faces" if emotion is None else f"no saved faces of {shown(emotion)}")
        return
    if as_json:
        for face in faces:
            typer.echo(json.dumps(_record(face)))
        return
    rows = [
        (
            printable(face.name),
            printable(face.emotion or "uncertain"),
            f"{face.confidence:.1%}",
            f"{face.saved:%Y-%m-%d %H:%M:%S}",
            printable(face.source or "-"),
        )
        for face in faces
    ]
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
    typer.echo(f"{_count(len(faces))}")


def _record(face: SavedFace) -> dict[str, object]:
    return {
        "name": face.name,
        "path": str(face.path),
        "emotion": face.emotion,
        "confidence": face.confidence,
        "saved": face.saved.isoformat(),
        "person": face.person,
        "source": face.source,
        "face": None if face.face is None else face.face.to_dict(),
    }


@app.command("sheet")
def sheet_command(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="A .png, .jpg or .webp.", show_default=False),
    ],
    gallery: Place = None,
    emotion: Emotion = None,
    since: Since = None,
    until: Until = None,
    most: Annotated[int, typer.Option(min=1, max=400, help="Show the newest so many.")] = 100,
    columns: Annotated[int | None, typer.Option(min=1, help="Faces in a row.", show_default=False)] = None,
    language: Annotated[
        str,
        typer.Option(
            metavar="|".join(LANGUAGES),
            help="Language of the labels.",
            autocompletion=lambda: list(LANGUAGES),
        ),
    ] = "en",
) -> None:
    """Draw saved faces side by side into one picture."""
    from mien.core import images
    from mien.gallery import gallery_sheet

    display_name(None, language)
    faces = _chosen(gallery, emotion, since, until)
    images.save(gallery_sheet(faces[-most:], columns=columns, language=language), output, drawn=True)
    if len(faces) > most:
        complain(f"the newest {most} of {len(faces)} saved faces are shown; --most shows up to 400")
    typer.echo(printable(str(output)))


@app.command("export", help=_EXPORT)
def export_command(
    output: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A new folder; it appears when all is done.", show_default=False),
    ],
    gallery: Place = None,
    emotion: Emotion = None,
    since: Since = None,
    until: Until = None,
    side: Annotated[int, typer.Option(min=8, max=1024, help="Pixels a side of the grey crops.")] = 48,
    whole: Annotated[
        bool, typer.Option("--whole", help="Copy the pictures as they were saved, in colour, of any size.")
    ] = False,
    validation: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of all faces.")] = 0.0,
    test: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of all faces.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal splits.")] = 0,
) -> None:
    """Align, write, say what came where."""
    from mien.gallery import export_faces

    faces = _chosen(gallery, emotion, since, until)
    with ProgressBar(len(faces), "Aligning") as bar:
        report = export_faces(
            faces,
            output,
            side=side,
            whole=whole,
            validation=validation,
            test=test,
            seed=seed,
            progress=bar.show,
        )
    for split, counts in report.counts.items():
        listed = ", ".join(f"{label} {count}" for label, count in counts.items())
        typer.echo(printable(f"{split or 'all'}: {_count(sum(counts.values()))} ({listed})"))
    for reason, names in (("cannot be read", report.unreadable), ("show no face", report.without_face)):
        if names:
            complain(f"{len(names)} pictures {reason} and were left out, such as {names[0]}")
    if report.uncertain:
        complain(f"{report.uncertain} uncertain faces were left out")
    if len({label for counts in report.counts.values() for label in counts}) < 2:
        complain("training needs two emotions or more; save faces of another one")
    typer.echo(printable(str(output)))
    raise typer.Exit(_exits.SOME_FAILED if report.unreadable or report.without_face else _exits.DONE)


@app.command("clear")
def clear_command(
    gallery: Place = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete all saved faces and what is known of them; asks first. Other files in the folder stay."""
    from mien.gallery import Gallery

    faces = _chosen(gallery, None, None, None)
    store = Gallery(gallery)
    if faces and not yes:
        if not sys.stdin.isatty():
            raise OptionError("nobody can be asked here; give --yes to delete the saved faces")
        if not typer.confirm(f"Delete {_count(len(faces))} in {store.folder}?", err=True):
            complain("nothing was deleted")
            return
    typer.echo(f"deleted {_count(store.clear())}")


@app.command("delete")
def delete_command(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME", help="Names as 'mien gallery list' prints them.", show_default=False),
    ],
    gallery: Place = None,
) -> None:
    """Delete some saved faces by their names, all or none of them."""
    from mien.gallery import Gallery

    typer.echo(f"deleted {_count(Gallery(gallery).delete(names))}")


def _count(number: int) -> str:
    return f"{number} saved face" + "s" * (number != 1)

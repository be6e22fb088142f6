"""`mien dataset`: what labelled faces hold, what is wrong with them, and making more of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _dataset_help, _exits
from mien.cli._described import show_description
from mien.cli._progress import ProgressBar, reading
from mien.cli._text import complain, printable
from mien.cli._training import Data

if TYPE_CHECKING:
    from mien.datasets import FaceDataset
    from mien.datasets.check import CheckReport

app = typer.Typer(
    help=_dataset_help.GROUP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)

Out = Annotated[
    Path, typer.Option("--output", "-o", "--out", metavar="PATH", help="Where to write.", show_default=False)
]
Side = Annotated[int | None, typer.Option(min=8, max=1024, help="Resize faces to this many pixels a side.")]
Labels = Annotated[
    str | None,
    typer.Option(metavar="A,B,…", help="These labels only; they may be your own.", show_default=False),
]
Neutral = Annotated[
    bool, typer.Option("--neutral", help="Of CK+, take the first frame of each sequence as neutral too.")
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Read all files, and keep nothing for the next time.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _listed(labels: str | None) -> list[str] | None:
    return None if labels is None else labels.split(",")


@app.command("describe", help=_dataset_help.DESCRIBE)
def describe_command(
    data: Data,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            "--out",
            metavar="DIR",
            help="Write report.html, plots (PNG, SVG) and description.json there; needs the extra report.",
            show_default=False,
        ),
    ] = None,
    votes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Crowd votes (FER+'s CSV): how far they agree with the labels.",
            show_default=False,
        ),
    ] = None,
    side: Side = None,
    labels: Labels = None,
    neutral: Neutral = False,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Read, describe, draw, show."""
    from mien.datasets import read_votes
    from mien.datasets.overview import describe_splits, load_described
    from mien.datasets.votes import with_votes_each
    from mien.evaluation.data_report import MODULES, write_data_report
    from mien.evaluation.report import check_report

    if output is not None:
        check_report(output, MODULES)
    with reading() as show:
        splits = load_described(
            data,
            side=side,
            labels=_listed(labels),
            neutral=neutral,
            cache=not no_cache,
            on_progress=show,
        )
    if votes is not None:
        splits = with_votes_each(splits, read_votes(votes))
    found = describe_splits(data.resolve().name, splits)
    page = None if output is None else write_data_report(output, found, splits)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        show_description(found)
        if page is not None:
            typer.echo(f"\nreport: {printable(str(page))}")


@app.command("check", help=_dataset_help.CHECK)
def check_command(
    data: Data,
    side: Annotated[
        int | None,
        typer.Option(min=8, max=1024, help="Size that faces should have; the most frequent without it."),
    ] = None,
    labels: Labels = None,
    near: Annotated[bool, typer.Option("--near/--exact", help="Look for near copies too.")] = True,
    across: Annotated[
        bool, typer.Option("--across", help="Of copies, name those only that stand in two splits.")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=0, help="Findings of a kind to print.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Check, show, say by the exit code whether all is well."""
    from mien.datasets.check import check

    with ProgressBar(2, "Reading") as bar:
        report = check(
            data,
            side=side,
            own=tuple(_listed(labels) or ()),
            near=near,
            progress=lambda done: bar.show(done, done + 1),
        )
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        _show_findings(report, across, most)
    if not report.sound:
        raise typer.Exit(_exits.SOME_FAILED)


def _show_findings(report: CheckReport, across: bool, most: int) -> None:
    typer.echo(f"{printable(report.source)} ({report.kind}): {report.faces} faces can be read")
    _show_some("fault", "of folders or tables", list(report.faults), most)
    _show_some("face", "that cannot be read", [why for _, why in report.unreadable], most)
    sizes = [f"{where}: {width}×{height}" for where, (width, height) in report.wrong_size]
    _show_some("face", "of another size", sizes, most)
    for kind in ("exact", "near"):
        groups = [g for g in report.copies if g.kind == kind and (g.across_splits or not across)]
        lines = []
        for group in groups:
            faces = zip(group.where, group.labels, strict=True)
            notes = " (across splits)" * group.across_splits + " (different labels)" * group.conflicting
            lines.append(" = ".join(f"{where} {label}" for where, label in faces) + notes)
        _show_some("group", f"of {kind} copies", lines, most)
        if groups:
            parted = sum(g.across_splits for g in groups)
            typer.echo(
                f"  {parted} across splits, {sum(g.conflicting for g in groups)} with different labels"
            )
    if report.sound:
        typer.echo("nothing is wrong")


def _show_some(thing: str, which: str, lines: list[str], most: int) -> None:
    if lines:
        typer.echo(f"{len(lines)} {thing}{'s' * (len(lines) > 1)} {which}")
        for line in lines[:most]:
            typer.echo(f"  {printable(line)}")
        if len(lines) > most:
            typer.echo(f"  … and {len(lines) - most} more")


@app.command("split", help=_dataset_help.SPLIT)
def split_command(
    data: Data,
    output: Out,
    validation: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of all faces.")] = 0.0,
    test: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of all faces.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal splits.")] = 0,
    side: Side = None,
    labels: Labels = None,
    link: Annotated[bool, typer.Option("--link", help="Hard links in place of copies.")] = False,
) -> None:
    """Split, write, say what came where."""
    from mien.datasets.write import write_splits

    parts = write_splits(
        data,
        output,
        validation=validation,
        test=test,
        seed=seed,
        side=side,
        labels=_listed(labels),
        link=link,
    )
    _say_written(parts, output)


@app.command("convert", help=_dataset_help.CONVERT)
def convert_command(
    data: Data,
    output: Out,
    side: Side = None,
    labels: Labels = None,
    neutral: Neutral = False,
    codes: Annotated[
        bool, typer.Option("--codes", help="In a table, FER2013's numbers in place of names.")
    ] = False,
) -> None:
    """Read, write, say what came where."""
    from mien.datasets import load_splits
    from mien.datasets.write import write_folder, write_table

    with reading() as show:
        splits = load_splits(data, side=side, labels=_listed(labels), neutral=neutral, on_progress=show)
    if output.suffix.lower() == ".csv":
        write_table(splits, output, codes=codes)
    else:
        write_folder(splits, output)
    _say_written(splits, output)


def _say_written(parts: dict[str, FaceDataset], output: Path) -> None:
    for name, faces in parts.items():
        counts = ", ".join(f"{label} {count}" for label, count in faces.counts().items())
        typer.echo(printable(f"{name or 'all'}: {len(faces)} faces ({counts})"))
    typer.echo(printable(str(output)))


@app.command("fetch", help=_dataset_help.FETCH)
def fetch_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="https address.", show_default=False)],
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="HEX", help="SHA-256 of the download.", show_default=False)
    ],
    output: Out,
    most: Annotated[int, typer.Option("--max-gb", min=1, help="Most gigabytes, unpacked too.")] = 10,
) -> None:
    """Fetch and say where."""
    from mien.datasets.fetch import fetch

    with _transfer_bar("Fetching") as progress:
        folder = fetch(url, output, sha256=sha256, max_bytes=most << 30, progress=progress)
    typer.echo(printable(str(folder)))


@contextmanager
def _transfer_bar(what: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """A bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@app.command("faces", help=_dataset_help.FACES)
def faces_command(
    photos: Annotated[
        Path, typer.Argument(metavar="PHOTOS", help="Folder of whole photos.", show_default=False)
    ],
    output: Out,
    side: Annotated[int, typer.Option(min=8, max=1024, help="Pixels a side of the crops.")] = 48,
    every_face: Annotated[
        bool, typer.Option("--every-face", help="All faces of a photo, not the largest only.")
    ] = False,
    sort: Annotated[
        bool, typer.Option("--sort", help="Sort photos without an emotion by what the model reads.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="Model to sort with; the default one without it.", show_default=False)
    ] = None,
    detector: Annotated[str, typer.Option(metavar="auto|yunet|haar", help="Face detector.")] = "auto",
    min_face: Annotated[int, typer.Option(min=1, help="Smallest face, in pixels.")] = 24,
    labels: Labels = None,
    neutral: Neutral = False,
    as_json: AsJson = False,
) -> None:
    """Cut, and say what became of the photos."""
    from mien.core.options import AnalysisOptions
    from mien.datasets.faces import cut_faces
    from mien.zoo.registry import load_model

    options = AnalysisOptions(detector=detector, min_face=min_face)
    with ProgressBar(2, "Cutting") as bar:
        report = cut_faces(
            photos,
            output,
            side=side,
            options=options,
            every_face=every_face,
            model=load_model(model) if sort or model is not None else None,
            own=tuple(_listed(labels) or ()),
            neutral=neutral,
            progress=bar.show,
        )
    figures: dict[str, Any] = {
        "photos": report.photos,
        "faces": report.faces,
        "without_face": list(report.without_face),
        "unreadable": [{"where": where, "why": why} for where, why in report.unreadable],
    }
    for where in report.without_face:
        complain(f"no face in {where}")
    for _, why in report.unreadable:
        complain(why)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        listed = ", ".join(
            f"{label or 'not sorted'} {count}" for label, count in sorted(report.faces.items())
        )
        typer.echo(printable(f"{sum(report.faces.values())} faces of {report.photos} photos: {listed}"))
        typer.echo(printable(str(output)))
    if report.unreadable:
        raise typer.Exit(_exits.SOME_FAILED)

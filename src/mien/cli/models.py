"""`mien models`: what is installed, what its cards say, adding, getting and checking."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits, _import_model
from mien.cli._text import printable
from mien.core.errors import MienError

if TYPE_CHECKING:
    from mien.zoo.download import Progress
    from mien.zoo.layers import Layer
    from mien.zoo.ort_format import Converted
    from mien.zoo.registry import Model
    from mien.zoo.store import Entry

app = typer.Typer(
    help="List, show, add, get, convert and check models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the installed models, and the files of detectors that can be got.

    In a pipe: one line each, name, origin, size in bytes, parameters, accuracy and labels separated by tabs.
    """
    from mien.zoo import registry, store

    rows = [_row(entry) for entry in registry.list_models()]
    rows += [
        {
            "name": asset.name,
            "origin": "detector",
            "path": str(path) if (path := store.asset_file(asset.name)).is_file() else None,
            "bytes": asset.size,
            "note": asset.use,
        }
        for asset in store.ASSETS.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif sys.stdout.isatty():
        _print_table(rows, registry.DEFAULT_MODEL)
    else:
        for row in rows:
            cells = [row["name"], row["origin"], row["bytes"], row.get("parameters"), row.get("accuracy")]
            last = row.get("problem") or ",".join(row.get("labels", [])) or _presence(row)
            typer.echo("\t".join(printable(str("-" if cell is None else cell)) for cell in (*cells, last)))


def _row(entry: Entry) -> dict[str, Any]:
    size = entry.path.stat().st_size if entry.path.is_file() else None
    row: dict[str, Any] = {"name": entry.name, "origin": entry.origin, "path": str(entry.path), "bytes": size}
    try:
        card = entry.card()
    except MienError as error:
        return {**row, "problem": str(error)}
    accuracy = card.metric("accuracy")
    return {
        **row,
        "labels": list(card.labels),
        "parameters": card.parameters,
        "precision": card.precision,
        "fine_tuning": entry.twin_path.is_file(),
        "accuracy": None if accuracy is None else accuracy.value,
    }


def _presence(row: dict[str, Any]) -> str:
    return "here" if row["path"] else f"not here; get it with: mien models pull {row['name']}"


def _print_table(rows: list[dict[str, Any]], default: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Name", "From", "Size", "Parameters", "Accuracy", "Labels")
    for column in table.columns[2:5]:
        column.justify = "right"
    for row in rows:
        size, parameters, accuracy = row["bytes"], row.get("parameters"), row.get("accuracy")
        cells = [
            row["name"] + (" (default)" if row["name"] == default else ""),
            row["origin"],
            "" if size is None else f"{size / 1e6:.1f} MB",
            "" if parameters is None else f"{parameters:,}",
            "" if accuracy is None else f"{accuracy:.1%}",
            row.get("problem") or ", ".join(row.get("labels", [])) or f"{row['note']}; {_presence(row)}",
        ]
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console(file=sys.stdout).print(table)


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="Name of a model, or path of an .onnx file.")],
    layers: Annotated[bool, typer.Option("--layers", help="List the network's layers too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a model's card: what it reads, how good it is and on what, what it is for and where it fails."""
    from mien.zoo import registry

    entry = registry.find(name)
    model = registry.open_entry(entry, threads=1, device="cpu")
    listed = _layers(entry, model) if layers else None
    if as_json:
        data: dict[str, Any] = {
            "digest": model.digest,
            "path": str(entry.path),
            "fine_tuning": entry.twin_path.is_file(),
            "card": model.card.to_dict(),
        }
        if listed is not None:
            data["layers"] = [layer.to_dict() for layer in listed]
        typer.echo(json.dumps(data, indent=2))
        return
    from mien.cli import _cards

    _cards.show(model.card, model.digest, entry, listed)


def _layers(entry: Entry, model: Model) -> tuple[Layer, ...]:
    import numpy as np

    from mien.zoo.layers import read_layers
    from mien.zoo.session import read_weights

    reads = model.card.input
    batch = np.zeros((1, reads.channels, reads.height, reads.width), dtype=np.float32)
    return read_layers(read_weights(entry.path), batch)


@app.command("add")
def add_command(
    file: Annotated[Path, typer.Argument(help="The network: an ONNX file whose output is logits.")],
    card: Annotated[Path, typer.Option("--card", help="Its card: a JSON file.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace your model of that name.")] = False,
) -> None:
    """Check a classifier against its card and add both to your models; it then goes by its card's name."""
    from mien.zoo import store

    entry = store.add_model(file, card, replace_existing=replace)
    typer.echo(f"added {printable(entry.name)}: {printable(str(entry.path))}")


app.command("import", help=_import_model.HELP)(_import_model.import_command)


@app.command("pull")
def pull_command(
    name: Annotated[str, typer.Argument(help="What to get: yunet.")],
    source: Annotated[
        str | None,
        typer.Option("--from", help="Another https address, or a file, to take it from.", metavar="PLACE"),
    ] = None,
) -> None:
    """Get a file that Mien can use and does not ship, from its official address, and check its SHA-256."""
    from mien.zoo import store

    asset = store.find_asset(name)
    with _transfer_bar(asset.file, asset.size) as progress:
        path = store.pull(name, source=source, progress=progress)
    typer.echo(f"{name}: {printable(str(path))}")


@contextmanager
def _transfer_bar(what: str, size: int) -> Iterator[Progress | None]:
    """A bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=size)
        yield lambda done, total: bar.update(task, completed=done, total=total or size)


@app.command("convert")
def convert_command(
    name: Annotated[str, typer.Argument(help="Name of a model, or path of an .onnx file.")],
    to: Annotated[str, typer.Option(metavar="ort", help="The format.")] = "ort",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Where to write; beside the file, or here for an installed model, without it.",
            show_default=False,
        ),
    ] = None,
    style: Annotated[
        str,
        typer.Option(
            metavar="fixed|runtime",
            help="fixed: optimised now, for processors; runtime: a part of that is left to the phone, for "
            "NNAPI and Core ML.",
        ),
    ] = "fixed",
) -> None:
    """Write a model as NAME.ort, which ONNX Runtime's builds for phones read, and its card NAME.ort.json."""
    from mien.core.errors import OptionError
    from mien.zoo import ort_format

    if to != "ort":
        raise OptionError(f"models are converted to 'ort', not to {to!r}")
    describe_conversion(ort_format.convert(name, output, style=style))


def describe_conversion(made: Converted) -> None:
    """Print where the file is and how closely it follows the ONNX file."""
    size = made.path.stat().st_size / 1e6
    typer.echo(f"model {printable(str(made.path))} ({size:.1f} MB) and {printable(made.path.name)}.json")
    typer.echo(f"largest difference to the ONNX file: {made.largest_difference:.1g} of the largest logit")


@app.command("verify")
def verify_command(as_json: AsJson = False) -> None:
    """Check every installed file: SHA-256, card inside and beside, and a run of the network.

    The exit code is 1 when one of them is broken.
    """
    from mien.zoo import store

    checks = store.verify()
    if as_json:
        rows = [
            {
                "name": c.name,
                "origin": c.origin,
                "path": str(c.path),
                "ok": not c.problem,
                "problem": c.problem,
            }
            for c in checks
        ]
        typer.echo(json.dumps(rows, indent=2))
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table("Name", "From", "State")
        for check in checks:
            state = Text(printable(check.problem), "red") if check.problem else Text("ok", "green")
            table.add_row(Text(printable(check.name)), check.origin, state)
        Console(file=sys.stdout).print(table)
    else:
        for check in checks:
            typer.echo("\t".join(map(printable, (check.name, check.origin, check.problem or "ok"))))
    if any(check.problem for check in checks):
        raise typer.Exit(_exits.SOME_FAILED)

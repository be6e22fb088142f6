"""`mien demo`: the sample photos that come with Mien, from file to table, drawing and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _exits
from mien.cli._job import Job
from mien.cli._results import Tables
from mien.core.emotions import LANGUAGES, display_name
from mien.core.errors import OutputError
from mien.core.files import shown
from mien.core.options import AnalysisOptions

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

CAUTION = (
    "Mien reads the expression on a face. An expression is not an inner state: "
    "a smile does not prove that someone is happy."
)

_HELP = f"""
Analyse the sample photos that come with Mien.

Prints a table of faces and emotions, writes the photos with their faces drawn and a JSON file with \
everything that was found, and says where. Needs no network.

[bold]Examples[/bold]

  mien demo
  mien demo --output somewhere --language ro

{_exits.HELP}
"""


@app.command("demo", help=_HELP)
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results; made if missing.")
    ] = Path("demo-output"),
    language: Annotated[
        str,
        typer.Option(
            metavar="|".join(LANGUAGES),
            help="Language of the emotions.",
            autocompletion=lambda: list(LANGUAGES),
        ),
    ] = "en",
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Classifier, as in mien analyze.", show_default=False),
    ] = None,
) -> None:
    """Analyse the samples as `mien analyze` would."""
    from mien import batch
    from mien.zoo.registry import load_model

    display_name(None, language)
    results = output / "results.json"
    batch.check_output(results)
    batch.check_folder(output)
    loaded = load_model(model)
    with sample_photos() as photos:
        items = [replace(item, name=item.relative.name) for item in batch.plan(photos)]
        items = batch.with_targets(items, output)
        drawing = {"language": language, "bars": True}
        job = Job(
            items=items,
            worker=batch.PhotoWorker(AnalysisOptions(), model, drawing=drawing, loaded=loaded),
            outputs=(results,),
            labels=loaded.card.labels,
            announce=False,
        )
        code = job.run(Tables(language))
    if code == _exits.DONE:
        print(f"\nWritten to {shown(output)}:")
        for path in [*(item.target for item in items if item.target is not None), results]:
            print(f"  {path}")
    print(f"\n{CAUTION}", flush=True)
    raise typer.Exit(code)


@contextmanager
def sample_photos() -> Iterator[list[Path]]:
    """Give the paths of the photos in the package, sorted; temporary ones where it is packed in a zip.

    Raises:
        OutputError: the package has none, so it is not installed whole.
    """
    with ExitStack() as stack:
        folder = resources.files("mien") / "samples"
        pictures = (entry for entry in folder.iterdir() if entry.name.endswith(".jpg"))
        found = sorted(pictures, key=lambda entry: entry.name)
        if not found:
            raise OutputError("the sample photos are missing from this installation; install Mien again")
        yield [stack.enter_context(resources.as_file(entry)) for entry in found]

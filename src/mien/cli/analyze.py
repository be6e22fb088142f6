"""`mien analyze`: photos and films in; faces, emotions, tables, annotated pictures and films out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _exits
from mien.cli._job import Job
from mien.cli._options import with_options
from mien.cli._places import settle
from mien.cli._results import printer
from mien.cli._text import complain
from mien.core.emotions import LANGUAGES, display_name
from mien.core.errors import OptionError
from mien.core.files import shown
from mien.core.machine import threads_beside_decoding
from mien.core.options import AnalysisOptions
from mien.core.version import __version__
from mien.core.video_options import DEFAULT_RATE, VideoOptions

if TYPE_CHECKING:
    from mien.batch import Item

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Find the faces in photos and films and read their emotions.

[bold]Examples[/bold]

  mien analyze photo.jpg
  mien analyze photos/ --output faces.csv --annotate drawn/
  mien analyze photos/ --json --jobs 4 | jq .faces
  mien analyze interview.mp4 --output results/
  mien analyze interview.mp4 --output interview.srt --start 60 --end 120
  mien analyze films/ photos/ --output results/ --no-annotated
  find . -name '*.jpg' -print0 | mien analyze - --output faces.xlsx
  ssh camera cat last.jpg | mien analyze -

On a terminal the result is a table. In a pipe it is one line a face, separated by tabs: picture, number, \
emotion (the model's label in every language), confidence, x, y, width, height; a picture without faces \
has one line with the number 0. \
A face in a film has, instead of its number, the frame, its time in seconds and the number of the person. \
Messages go to standard error, one line for each input that failed; the others are still done.

With a folder as --output, each film gets a folder in it: every frame as .jsonl, .csv and .parquet, \
subtitles (.srt, .vtt), an ELAN document (.eaf), a summary, the timeline as a picture, and the annotated \
film with its sound; photos share photos.csv and photos.jsonl there, and are drawn beside them. A single \
film can also go to one file: .jsonl, .csv, .xlsx, .parquet, .srt, .vtt, .eaf, .json (the summary), .png, \
.svg, or .mp4 (annotated). Faces are followed through a film and steadied over time; --cadence 0 \
--smoothing 0 reads each frame as a photo.

With --output, what is done is also kept in FILE.ledger until the run has ended: a run that was \
interrupted, killed or out of room goes on where it stopped when the same command is given again. A run \
interrupted with Ctrl-C or SIGTERM also writes what is done to FILE, unless FILE was there before; the \
complete results of an earlier run over a film stay until the new ones are complete.

{_exits.HELP}
"""


@app.command("analyze", help=_HELP)
@with_options(AnalysisOptions)
@with_options(VideoOptions, "video", "Films")
def analyze(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Photos, films, folders (with the folders in them), or - for standard input: the bytes of "
            "one picture, or a list of paths, one a line or separated by NUL.",
            show_default=False,
        ),
    ],
    options: AnalysisOptions,
    video: VideoOptions,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="Write all results to FILE; its suffix says how: .json, .jsonl, .csv, .xlsx or .parquet, "
            "and for a film also .srt, .vtt, .eaf, .png, .svg or .mp4. A folder gets everything there is; "
            "end a new one in a slash if its name has a dot.",
        ),
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write each picture with its faces drawn into DIR; never over other files than its own.",
        ),
    ] = None,
    annotated: Annotated[
        bool,
        typer.Option(
            help="With a folder as --output: also draw the faces on photos and films.", show_default=True
        ),
    ] = True,
    frames: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            min=0.001,
            max=1000,
            help="A folder is one film: its pictures are the frames, RATE a second. For folders only; a film "
            "has its own times.",
            show_default=False,
        ),
    ] = None,
    bars: Annotated[bool, typer.Option("--bars", help="Draw the score of every emotion as well.")] = False,
    language: Annotated[
        str,
        typer.Option(
            metavar="|".join(LANGUAGES),
            help="Language of the table, of drawings, and of a film's subtitles, ELAN document and timeline "
            "picture; lines in a pipe and other files keep the labels.",
            autocompletion=lambda: list(LANGUAGES),
        ),
    ] = "en",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: one object a picture, with everything known.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no results, only messages.")] = False,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Classifier: a name of 'mien models list', or an .onnx file with its card. Without it "
            "the one that MODEL_PATH names, or the default.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Processes that work at once; 0 is one a processor.")
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Threads of each process; all processors are shared without it, but one with films."
        ),
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where the classifier runs.")] = "auto",
    ledger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep what is done in FILE, also after the end: the next run does only what is new.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="Go on from the ledger of an earlier run, or start over.")
    ] = True,
) -> None:
    """Check what can be checked before the work, do it, say what became of it."""
    from mien import batch
    from mien.pipeline.detect import create_detector
    from mien.zoo.registry import load_model

    display_name(None, language)
    if as_json and quiet:
        raise OptionError("--json and --quiet exclude each other; leave one out")
    if output == "":  # a variable that was not set, and not the present folder
        raise OptionError("--output is empty; name a file or a folder")
    left_out = batch.LeftOut()
    items = batch.plan(paths, left_out=left_out, frames=frames is not None)
    if frames is not None:
        _check_frames(items)
    for note in left_out.notes():
        complain(note)
    places = settle(items, output, annotate, ledger, annotated=annotated)
    if bars and not places.draws:
        raise OptionError("--bars draws on annotated copies; give --annotate DIR as well")
    jobs = jobs or batch.processors()
    films = any(item.is_film for item in items)
    if jobs > 1:
        threads = threads or max(1, batch.processors() // jobs)
    elif films:
        threads = threads_beside_decoding(threads)
    loaded = load_model(model, threads=threads, device=device)
    drawing = {"language": language, "bars": bars}
    job = Job(
        items=places.targets(items),
        worker=batch.PhotoWorker(options, model, threads, device, drawing, loaded),
        film_worker=batch.FilmWorker(
            options, video, model, threads, device, frames or DEFAULT_RATE, annotated, drawing, loaded
        )
        if films
        else None,
        jobs=jobs,
        outputs=places.tables,
        annotate=places.annotate,
        folder=places.films or places.film_file,
        ledger=places.ledger,
        keep_ledger=ledger is not None,
        resume=resume,
        settings={
            "mien": __version__,
            "options": options.digest(),
            "detector": create_detector(options.detector).name,
            "model": loaded.reference.to_dict(),
            "drawing": drawing if places.draws else None,
            **({"video": video.digest(), "rate": frames} if films else {}),
        },
        labels=loaded.card.labels,
    )
    raise typer.Exit(job.run(printer(as_json=as_json, quiet=quiet, language=language)))


def _check_frames(items: Sequence[Item]) -> None:
    """Refuse --frames where no folder is among the inputs that are there.

    Raises:
        OptionError: there are only single films or photos.
    """
    found = [item for item in items if isinstance(item.source, Path)]
    if not found or any(item.source.is_dir() for item in found if isinstance(item.source, Path)):
        return
    first = found[0]
    what = "a film, with times of its own" if first.is_film else "a photo"
    instead = "leave it out" if first.is_film else "leave it out, or name the folder that the frames lie in"
    raise OptionError(
        f"--frames is for a folder whose pictures are the frames of one film; {shown(first.name)} is {what}: "
        f"{instead}"
    )

"""`mien explain`: what a model sees in a face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _exits
from mien.cli._faces import Device, Threads
from mien.cli._options import with_options
from mien.cli._progress import ProgressBar
from mien.cli._text import complain, printable
from mien.core.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.evaluation.explain import FaceExplanation

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Show what a model sees in the faces of a picture: one page, every figure, every number.

[bold]Examples[/bold]

  mien explain photo.jpg
  mien explain photo.jpg --face 2 --emotion fear --output why
  mien explain fer2013/test/happy/12.png --model runs/mine/mine.onnx

For each face, the largest first: the probability of every emotion; Grad-CAM, where the last feature maps \
speak for each emotion; occlusion, how the probability changes when a grey patch covers a part; and the \
response of every convolution and pooling layer. Any .onnx model with a card will do, but no .ort. A picture \
of just the size that the model reads is taken as a face that is cut out already.

A map shows what the network reacted to, not why a person looks so: an expression is not an inner state. \
The pictures need the extra report.

{_exits.HELP}
"""


@app.command("explain", help=_HELP)
@with_options(AnalysisOptions)
def explain(
    picture: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="A photo, or a face crop.", show_default=False)
    ],
    options: AnalysisOptions,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Classifier, as in mien analyze; an .onnx file.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results; made if missing.")
    ] = Path("explanation"),
    emotion: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL", help="Emotion to explain; each face's likeliest without it.", show_default=False
        ),
    ] = None,
    face: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Explain this face only; 1 is the largest. All without it.", show_default=False
        ),
    ] = None,
    crop: Annotated[
        bool | None,
        typer.Option(
            "--crop/--no-crop",
            help="The picture is one face that is cut out already, or is not. Without it its size decides.",
            show_default=False,
        ),
    ] = None,
    channels: Annotated[
        int, typer.Option(min=1, max=256, help="Most channels shown of each layer, the strongest first.")
    ] = 16,
    threads: Threads = None,
    device: Device = "auto",
) -> None:
    """Explain, write, say the least of it."""
    from mien.evaluation.explain import explain as explain_picture
    from mien.evaluation.explain_report import check_explanation, write_explanation

    check_explanation(output)
    with ProgressBar(2, "Explaining") as bar:
        found = explain_picture(
            picture,
            model=model,
            label=emotion,
            face=face,
            crop=crop,
            threads=threads,
            device=device,
            progress=bar.show,
            **options.to_dict(),
        )
    if found.analysis is None and crop is None:
        complain(
            f"{printable(str(picture))} has the size that the model reads: taken as a face that is cut out"
        )
    for one in found.faces:
        typer.echo(_line(one))
    if found.faces[0].grad_cam is None:
        complain("this network has no last feature maps that all later layers go through: no Grad-CAM")
    page = write_explanation(output, found, channels)
    typer.echo(f"page: {printable(str(page))}")


def _line(face: FaceExplanation) -> str:
    """Say what the maps come to, in one line."""
    scores = sorted(face.scores.items(), key=lambda item: -item[1])
    read = ", ".join(f"{printable(label)} {score:.1%}" for label, score in scores[:3])
    drop = face.occlusion.map.max()
    most = (
        f"covering the most important place costs {100 * drop:.1f} points"
        if drop > 0
        else "no place is needed"
    )
    return f"face {face.number}: {read}; {printable(face.label)}: {most}; {len(face.responses)} layers"

"""`mien predict`: what a model says about every face of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _exits
from mien.cli._faces import Device, Labels, ModelName, Resize, Split, Threads, faces_of
from mien.cli._progress import ProgressBar
from mien.cli._text import complain
from mien.cli._training import DATA_FORMS, Data

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Predict every face of a data set, write each prediction, and print the accuracy where labels are known.

[bold]Examples[/bold]

  mien predict mien-base fer2013 --output predictions.csv
  mien predict runs/mine/mine.onnx test.csv --output predictions.json

{DATA_FORMS} Of data with several splits the test split is taken, or that of --split; faces without an \
emotion, as in a test.csv without that column, are predicted too.

FILE ends in .csv or .json: name (of a file its place below DATA, such as test/happy/1.png), true label, \
predicted label, confidence, whether it is below the card's threshold (uncertain), and the score of every \
label. For whole photos, use [bold]mien analyze[/bold].

{_exits.HELP}
"""


@app.command("predict", help=_HELP)
def predict(
    model: ModelName,
    data: Data,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write every prediction: .csv or .json.",
            show_default=False,
        ),
    ] = None,
    split: Split = None,
    labels: Labels = None,
    resize: Resize = False,
    threads: Threads = None,
    device: Device = "auto",
) -> None:
    """Load, predict, write, say how many were right."""
    from mien.evaluation import predict as predict_all
    from mien.evaluation import write_predictions
    from mien.evaluation.predict import check_suffix
    from mien.zoo.registry import load_model

    if output is not None:
        check_suffix(output)
    loaded = load_model(model, threads=threads, device=device)
    faces = faces_of(data, loaded.card, split, labels, resize=resize, labelled=False)
    with ProgressBar(len(faces), "Predicting") as bar:
        predictions = predict_all(loaded, faces, progress=bar.show)
    if output is not None:
        write_predictions(predictions, output)
    else:
        complain("the predictions are not kept; --output predictions.csv writes each of them")
    if predictions.accuracy is None:
        typer.echo(f"{len(faces)} faces predicted; the data say no emotions, so there is no accuracy")
    else:
        what = "test set" if split in (None, "test") else f"{split} split"
        typer.echo(f"Accuracy on the {what}: {predictions.accuracy * 100:.1f} %")

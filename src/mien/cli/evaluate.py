"""`mien evaluate`: how good a model is on labelled faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._faces import Device, Labels, ModelName, Resize, Split, Threads, faces_of
from mien.cli._metrics import calibration_line, metric_lines
from mien.cli._progress import ProgressBar
from mien.cli._text import complain, printable
from mien.cli._training import DATA_FORMS, Data

if TYPE_CHECKING:
    from mien.evaluation import Evaluation
    from mien.evaluation.report import Extras
    from mien.zoo.registry import Model

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_HELP = f"""
Measure a model on labelled faces: one forward pass a face, no test-time augmentation without --tta.

[bold]Examples[/bold]

  mien evaluate mien-base fer2013
  mien evaluate runs/mine/mine.onnx faces/test --report report --votes ferplus.csv
  mien evaluate mien-base faces/test --compare runs/mine/mine.onnx --corruptions --mirror

{DATA_FORMS} Of data with several splits the test split is taken, or that of --split.

Accuracy comes with its Wilson 95 % interval and macro-F1 with a bootstrap interval. The calibration error \
says how far confidences and accuracy lie apart; coverage and answered accuracy say what abstaining below \
the card's threshold brings. A report is one HTML page with every figure and the files behind it; it needs \
the extra report.

{_exits.HELP}
"""


@app.command("evaluate", help=_HELP)
def evaluate(
    model: ModelName,
    data: Data,
    split: Split = None,
    labels: Labels = None,
    resize: Resize = False,
    votes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Crowd votes (FER+'s CSV) to compare with as well.", show_default=False
        ),
    ] = None,
    corruptions: Annotated[
        bool, typer.Option("--corruptions", help="Measure on damaged faces too; takes eight times as long.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Read mirror images too: how often they keep their label.")
    ] = False,
    tta: Annotated[
        bool,
        typer.Option("--tta", help="Average each face with its mirror image; the protocol then says so."),
    ] = False,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="OTHER", help="A second model on the same faces: McNemar's test.", show_default=False
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write report.html, figures and tables there.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write all figures as JSON.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    threads: Threads = None,
    device: Device = "auto",
) -> None:
    """Load, measure, write, show."""
    from mien.core.files import atomic_write
    from mien.datasets import read_votes
    from mien.evaluation import agreement, measure_corruptions, measure_mirror
    from mien.evaluation import compare as compare_models
    from mien.evaluation.report import Extras, check_report, figures_of, read_log, write_report
    from mien.zoo.registry import find, load_model

    if report is not None:
        check_report(report)
    loaded = load_model(model, threads=threads, device=device)
    second = None if compare is None else load_model(compare, threads=threads, device=device)
    table = None if votes is None else read_votes(votes)
    faces = faces_of(data, loaded.card, split, labels, resize=resize, labelled=True)
    evaluation = _measured(loaded, faces, tta=tta)
    extras: dict[str, Any] = {}
    if table is not None:
        extras["crowd"] = agreement(evaluation, table)
        if extras["crowd"] is None:
            complain(f"{votes}: no face has one label that more than half of its voters chose")
    if second is not None:
        other = _measured(
            second, faces_of(data, second.card, split, labels, resize=resize, labelled=True), tta=tta
        )
        extras |= {
            "other": second.name,
            "other_accuracy": float(other.right.mean()),
            "comparison": compare_models(evaluation, other),
        }
    if corruptions:
        with ProgressBar(7, "Damaged faces") as bar:
            extras["corruptions"] = measure_corruptions(loaded, faces, progress=bar.show)
    if mirror:
        with ProgressBar(len(faces), "Mirror images") as bar:
            extras["mirror"] = measure_mirror(loaded, faces, bar.show)
    if report is not None:
        extras["milliseconds"] = _milliseconds(model, faces)
        extras["log"] = read_log(find(model).path.with_name("log.csv"))
    known = Extras(**extras)
    figures = figures_of(loaded, evaluation, known)
    if output is not None:
        atomic_write(output, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    page = None if report is None else write_report(report, loaded, faces, evaluation, known)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        _show(evaluation, figures, loaded)
        _show_extras(figures, known)
        if page is not None:
            typer.echo(f"\nreport: {printable(str(page))}")


def _measured(model: Model, faces: Any, *, tta: bool) -> Evaluation:
    from mien.evaluation import evaluate as measure

    with ProgressBar(len(faces), f"Measuring {printable(model.name)}") as bar:
        return measure(model, faces, progress=bar.show, tta=tta)


def _milliseconds(model: str, faces: Any) -> float:
    """Time one thread, whatever the measurement ran on."""
    from mien.evaluation import milliseconds_per_face
    from mien.zoo.registry import load_model

    return milliseconds_per_face(load_model(model, threads=1, device="cpu"), faces.images)


def _show(evaluation: Evaluation, figures: dict[str, Any], model: Model) -> None:
    name = printable(figures["model"]["name"])
    typer.echo(f"{name} on {figures['faces']} faces of {printable(figures['data'])}")
    typer.echo(calibration_line(model.card))
    for line in metric_lines(evaluation.metrics()):
        typer.echo(line)
    width = max(12, *(len(label) + 2 for label in evaluation.labels))
    typer.echo(
        "\n" + "".join(f"{head:<{width}}" for head in ("label", "precision", "recall", "f1", "support"))
    )
    for label, row in figures["per_label"].items():
        cells = [f"{row[k]:.4f}" for k in ("precision", "recall", "f1")]
        typer.echo("".join(f"{cell:<{width}}" for cell in (printable(label), *cells, str(row["support"]))))
    typer.echo("\nconfusion (rows: true, columns: predicted)")
    typer.echo("".join(f"{printable(label):<{width}}" for label in ("", *evaluation.labels)))
    for label, counts in zip(evaluation.labels, figures["confusion"], strict=True):
        typer.echo("".join(f"{cell!s:<{width}}" for cell in (printable(label), *counts)))


def _show_extras(figures: dict[str, Any], extras: Extras) -> None:
    if (crowd := extras.crowd) is not None:
        typer.echo(
            f"\ncrowd: reads {crowd.share:.4f} [{crowd.low:.4f}, {crowd.high:.4f}] of {crowd.faces} faces as "
            f"more than half of the voters did; the labels agree on {crowd.label_share:.4f}"
        )
        shares = "  ".join(f"{weight:g}: {share:.4f}" for weight, share in crowd.along.items())
        typer.echo(f"  read like label and votes mixed, by the weight of the votes  {shares}")
    if (turned := extras.mirror) is not None:
        typer.echo(
            f"\nmirror images: {turned.share:.4f} [{turned.low:.4f}, {turned.high:.4f}] of {turned.faces} "
            f"keep their label; probabilities move by {turned.moved_median:.4f} in the median, by "
            f"{turned.moved_95:.4f} at the 95th percentile"
        )
    if (test := extras.comparison) is not None:
        typer.echo(
            f"\ncompared with {printable(str(extras.other))} (accuracy {extras.other_accuracy:.4f}): only "
            f"{printable(figures['model']['name'])} right on {test.only_first} faces, only the other on "
            f"{test.only_second}; McNemar p = {test.p_value:.3g} ({test.method})"
        )
    if extras.corruptions:
        typer.echo("\naccuracy on damaged faces")
        for result in extras.corruptions:
            interval = f"[{result.low:.4f}, {result.high:.4f}]"
            typer.echo(f"{result.name:<28}{result.accuracy:.4f}  {interval}  ({result.severity})")
        typer.echo(f"mean relative drop          {figures['mean_relative_drop']:.4f}")

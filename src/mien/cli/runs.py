"""`mien runs`: the record of what was trained."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._text import complain, printable

if TYPE_CHECKING:
    from mien.datasets import FaceDataset
    from mien.training.runs.record import RunRecord

app = typer.Typer(
    help="List, show, compare, report and keep training runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)

_LIST = """
List the runs: what was changed, how far they came, how good and how costly they are, what was decided.

Runs that differ in their seed alone share a row: mean ± standard deviation. What was changed is told \
against the recipe that is nearest, a reference system's own or Mien's. "running?" is a guess, where \
the process of the run cannot be seen: it wrote something within the last three epochs. In a pipe: one line \
each, separated by tabs. Exit code 1 where a folder is no run or a run has a damaged file.

[bold]Examples[/bold]

  mien runs list
  mien runs list experiments --csv experiments.csv
"""

_COMPARE = """
Show runs side by side: the options in which they differ, and what came out.

Whether two models differ by more than chance on the same faces is McNemar's test: [bold]mien evaluate \
A/A.onnx DATA --compare B/B.onnx[/bold].
"""

_REPORT = """
Make a run's report from its files: report.html, curves.png and curves.svg, and the time a face takes.

mien train does this at its end; here it is made anew, for a run of an older Mien, an interrupted one, \
or after a note. --test measures the exported model, which gives calibration and the files metrics.json, \
confusion_matrix.csv and classification_report.txt. Needs the extra report.
"""

_STORE = """
Keep the small files of a run in DIR/NAME, without weights: for a repository, a paper, a colleague.

Configuration, log, layers, card, note and figures are copied, and the report is made there. The run's \
folder is only read. --test measures the exported model, as mien runs report does.

[bold]Example[/bold]

  mien runs store runs/r4 docs/runs --test fer2013/test
"""

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TestData = Annotated[
    Path | None,
    typer.Option(
        "--test",
        metavar="DATA",
        help="Labelled faces to measure the exported model on; of several splits the test split.",
        show_default=False,
    ),
]


@app.command("list", help=_LIST)
def list_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of runs; those in folders below count too.")
    ] = Path("runs"),
    apart: Annotated[
        bool, typer.Option("--each", help="One row a run, also where only the seed differs.")
    ] = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write the table there too.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the runs, print them, say what is wrong with some."""
    from mien.cli._runs import print_list
    from mien.core.files import atomic_write
    from mien.training.runs.read import find_runs
    from mien.training.runs.table import Experiment, experiments, to_csv

    runs, wrong = find_runs(folder)
    found = [Experiment((run,)) for run in runs] if apart else experiments(runs)
    if csv is not None:
        atomic_write(csv, to_csv(found))
    if as_json:
        typer.echo(json.dumps([run.to_dict() for run in runs], indent=2))
    else:
        print_list(found)
    for path, why in wrong:
        complain(f"{path}: {why}")
    for run in runs:
        _complain_of(run)
    if not runs and not wrong:
        complain(f"{str(folder)!r} holds no runs yet; mien train DATA --output {folder}/NAME makes one")
    if wrong or any(run.problems for run in runs):
        raise typer.Exit(_exits.SOME_FAILED)


@app.command("show")
def show(run: RunFolder, as_json: AsJson = False) -> None:
    """Show one run: recipe, data, curves, figures, cost, files and the command that makes it again.

    Also of a run that is still going on, or was interrupted: what there is. The command names the paths as
    they are told in the folder where you stand, and an interrupted run goes on by it.
    """
    from mien.cli._runs import print_run
    from mien.training.runs.read import read_run

    found = read_run(run)
    if as_json:
        typer.echo(json.dumps({**found.to_dict(), "log": _columns(found)}, indent=2))
    else:
        print_run(found)
    _complain_of(found)


@app.command("compare", help=_COMPARE)
def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN …", help="Two or more runs.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Show runs side by side: the options in which they differ, and what came out."""
    from mien.cli._runs import print_comparison
    from mien.training.runs.read import read_run
    from mien.training.runs.table import differences

    found = [read_run(run) for run in runs]
    differing = differences(found)
    if as_json:
        content = {"differences": differing, "runs": [run.to_dict() for run in found]}
        typer.echo(json.dumps(content, indent=2))
    else:
        print_comparison(found, differing)
    for one in found:
        _complain_of(one)


@app.command("note")
def note(
    run: RunFolder,
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help='What was decided, such as "kept: +0.4 points"; "" takes it back.'
        ),
    ],
) -> None:
    """Write down what was decided about a run; list, show and the report print it.

    [bold]Example[/bold]

      mien runs note runs/wider "dropped: +0.1 points at twice the cost"
    """
    from mien.training.runs.record import write_note

    write_note(run, text)


@app.command("report", help=_REPORT)
def report(run: RunFolder, test: TestData = None) -> None:
    """Read the run and the test faces, write the report, say where."""
    from mien.evaluation.report import check_report
    from mien.training.runs.read import read_run
    from mien.training.runs.report import report_run

    found = read_run(run)
    check_report(run)
    path = report_run(run, test=_test_faces(found, test))
    typer.echo(f"report: {printable(str(path))}")


@app.command("store", help=_STORE)
def store(
    run: RunFolder,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where copies of runs are kept.", show_default=False)
    ],
    test: TestData = None,
) -> None:
    """Keep the small files of a run in DIR/NAME, without weights: for a repository, a paper, a colleague."""
    from mien.evaluation.report import check_report
    from mien.training.runs.read import read_run
    from mien.training.runs.store import store_run

    found = read_run(run)
    check_report(folder)
    place = store_run(run, folder, test=_test_faces(found, test))
    total = sum(file.stat().st_size for file in place.iterdir())
    typer.echo(f"stored: {printable(str(place))} ({total / 1e3:.0f} kB)")


def _test_faces(run: RunRecord, test: Path | None) -> FaceDataset | None:
    """Return the faces with the run's labels to measure its model on."""
    if test is None:
        return None
    from mien.core.errors import OptionError
    from mien.datasets import load_dataset

    if run.model is None:
        raise OptionError(f"{str(run.path)!r} has no exported model to measure; mien export makes it")
    return load_dataset(test, default="test", labels=run.labels or None)


def _columns(run: RunRecord) -> dict[str, list[Any]]:
    """The log as columns; what an older Mien did not log is left out, for JSON has no word for it."""
    from dataclasses import asdict

    rows = [asdict(log) for log in run.log]
    columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    return {name: cells for name, cells in columns.items() if all(cell == cell for cell in cells)}


def _complain_of(run: RunRecord) -> None:
    for problem in run.problems:
        print(f"mien: {printable(run.name)}: {printable(problem)}", file=sys.stderr)

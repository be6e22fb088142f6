"""A run without its weights: the small files that let others read, compare and repeat it."""

from __future__ import annotations

from pathlib import Path

from mien.core.errors import OutputError
from mien.core.files import atomic_write, ensure_folder, shown
from mien.datasets import FaceDataset
from mien.training.run_folder import ARCHITECTURE, CONFIG, FACTS, LOG
from mien.training.runs.read import read_run
from mien.training.runs.record import COST, METRICS, NOTE
from mien.training.runs.report import report_run

_TABLES = ("confusion_matrix.csv", "classification_report.txt")
_SMALL = (CONFIG, FACTS, LOG, ARCHITECTURE, NOTE, METRICS, COST, *_TABLES)
# They are on the page; a repository need not hold them twice.
_ON_THE_PAGE = ("curves.png", "curves.svg")


def store_run(run: Path, folder: Path, *, test: FaceDataset | None = None) -> Path:
    """Copy the small files of a run to `folder`/NAME and make its report there; return that folder.

    Configuration, facts, log, layers, note, the model's card and the figures are copied; weights,
    checkpoints and TensorBoard's events are not. The run's folder is only read. A copy that is there already
    is made anew.

    Args:
        run: the folder of the run.
        folder: where the copies of runs are kept; created when missing.
        test: labelled faces to measure the exported model on; the figures that the run has without them.

    Raises:
        TrainingError: the folder is no run.
        OutputError: a file cannot be written, or the copy would lie over the run.
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    found = read_run(run)
    place = folder / found.name
    if place.resolve() == run.resolve():
        raise OutputError(f"{shown(run)} is where its copy would be; name another folder")
    ensure_folder(place)
    for name in _SMALL:
        if (run / name).is_file():
            atomic_write(place / name, (run / name).read_bytes())
    if found.card is not None:
        atomic_write(place / f"{found.card.name}.json", found.card.to_json())
    report_run(run, place, test=test)
    for name in _ON_THE_PAGE:
        (place / name).unlink(missing_ok=True)
    return place

"""A run without its weights: the small files that let others read, compare and repeat it."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from mien.core.errors import OutputError
from mien.core.files import atomic_folder, atomic_write, ensure_folder, reason, shown
from mien.datasets import FaceDataset
from mien.training.run_folder import ARCHITECTURE, BEST, CONFIG, FACTS, LAST, LOG
from mien.training.runs.read import read_run
from mien.training.runs.record import COST, METRICS, NOTE, RunRecord
from mien.training.runs.report import report_run

_TABLES = ("confusion_matrix.csv", "classification_report.txt")
_SMALL = (CONFIG, FACTS, LOG, ARCHITECTURE, NOTE, METRICS, COST, *_TABLES)
# They are on the page; a repository need not hold them twice.
_ON_THE_PAGE = ("curves.png", "curves.svg")


def store_run(run: Path, folder: Path, *, test: FaceDataset | None = None) -> Path:
    """Copy the small files of a run to `folder`/NAME and make its report there; return that folder.

    Configuration, facts, log, layers, note, the model's card and the figures are copied; weights,
    checkpoints and TensorBoard's events are not. The run's folder is only read. The copy appears whole or
    not at all, and one that is there already stays as it is until the new one is whole.

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
    if any((place / name).exists() for name in (LAST, BEST)):
        raise OutputError(f"{shown(place)} is a run itself, with weights; name another folder")
    earlier = place.is_dir()
    # Where a copy is already, the new one is made whole beside it, and takes its place file by file.
    new = ensure_folder(folder) / f".{place.name[:100]}-{secrets.token_hex(8)}" if earlier else place
    try:
        with atomic_folder(new) as made:
            _fill(made, run, found, test)
        if earlier:
            _replace(place, new)
    finally:
        if earlier:
            shutil.rmtree(new, ignore_errors=True)
    return place


def _fill(made: Path, run: Path, found: RunRecord, test: FaceDataset | None) -> None:
    for name in _SMALL:
        if (run / name).is_file():
            atomic_write(made / name, (run / name).read_bytes())
    if found.card is not None:
        atomic_write(made / f"{found.card.name}.json", found.card.to_json())
    report_run(run, made, test=test)
    for name in _ON_THE_PAGE:
        (made / name).unlink(missing_ok=True)


def _replace(place: Path, new: Path) -> None:
    """Put the files of a new copy over an earlier one; what else lies there is someone's."""
    try:
        files = sorted(new.iterdir())
        for path in files:
            path.replace(place / path.name)
        for name in set(_SMALL) - {path.name for path in files}:
            (place / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{shown(place)} cannot be written: {reason(error)}") from error

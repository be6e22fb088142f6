"""Cross-validation: every face is measured once, by a network that was trained without it.

The folder holds a run a fold (`fold-1`, …), each as `train` and `export` leave it; `crossval.json` says
what is validated, from the start, and what came out, after every fold. A fold that is done is not trained
again, and one that was stopped goes on as any run does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.core.errors import TrainingError
from mien.core.files import atomic_write, ensure_folder, shown
from mien.datasets import FaceDataset, near_across
from mien.evaluation import evaluate
from mien.evaluation.evaluate import Evaluation
from mien.evaluation.folds import FoldResults, write_fold_predictions, write_folds
from mien.training._json import read_object
from mien.training.config import TrainingConfig
from mien.training.distributed import check_alone
from mien.training.export import export
from mien.training.folding import RESULT, dealt
from mien.training.loop import train
from mien.training.presets import check_crops
from mien.training.schedules import EpochLog
from mien.training.start import Start
from mien.zoo.registry import load_model

TABLE, PREDICTIONS = "crossval.csv", "predictions.csv"


def crossval(
    data: FaceDataset,
    folder: Path,
    config: TrainingConfig,
    folds: int = 5,
    *,
    start: Start | None = None,
    on_fold: Callable[[FoldResults], None] = lambda results: None,
    on_epoch: Callable[[int, EpochLog], None] = lambda fold, log: None,
    on_step: Callable[[int, int, int, int], None] = lambda fold, epoch, step, steps: None,
) -> FoldResults:
    """Train and measure a network for every fold; go on where the folder's cross-validation stands.

    Within a fold, `config.validation` of the other folds chooses epoch, temperature and threshold; the
    fold itself is only measured.

    Args:
        data: labelled faces; copies of a picture, and the faces of a person, stay in one fold.
        folder: created when missing; it receives the runs, crossval.json, crossval.csv and predictions.csv.
        config: the recipe; its seed also deals the faces to the folds.
        folds: how many parts the faces are dealt to.
        start: weights that every fold fine-tunes; fresh ones without it.
        on_fold: called when a fold has been measured, with all results so far.
        on_epoch: called after each epoch, with the fold, counted from 1.
        on_step: called after each step with the fold and what `train` says.

    Raises:
        OptionError: fewer than 2 folds, torchrun's processes, or small crops for a network of one size.
        DatasetError: a label has too few faces for the folds and for a validation part within each.
        TrainingError: a fold's training part is less than a batch, training cannot go on, or the folder holds
            another cross-validation.
    """
    check_alone("cross-validation")
    check_crops(config)
    data = replace(data, apart=None)  # every face is held out once
    numbers = dealt(data, config, folds)
    plan = _open(folder, data, config, folds, start)
    places = data.places
    results = FoldResults(near=tuple(places[face] for face in near_across(data, numbers)))
    for fold in range(1, folds + 1):
        is_held = numbers == fold - 1
        rest, place = data.subset(~is_held), folder / f"fold-{fold}"
        train(rest, place, config, partial(on_epoch, fold), partial(on_step, fold), start)
        results = results.with_fold(
            _measured(place, rest, data.subset(is_held), config), np.flatnonzero(is_held)
        )
        _write(folder, {**plan, **results.to_dict()})
        on_fold(results)
    write_folds(results, folder / TABLE)
    write_fold_predictions(results, folder / PREDICTIONS)
    return results


def _open(
    folder: Path, data: FaceDataset, config: TrainingConfig, folds: int, start: Start | None
) -> dict[str, Any]:
    """Return what is validated, after writing it or finding that the folder says the same."""
    plan = {
        "number_of_folds": folds,
        "data": data.source,
        "data_digest": data.digest(),
        "faces": len(data),
        "config": config.to_dict(),
        "start": None if start is None else start.facts,
    }
    file = folder / RESULT
    if not file.exists():
        ensure_folder(folder)
        _write(folder, plan)
        return plan
    try:
        before = read_object(file)
        other = [name for name, value in plan.items() if name != "data" and before[name] != value]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{shown(file)} cannot be used ({error!r}); choose another folder") from error
    if other:
        raise TrainingError(
            f"{shown(folder)} holds a cross-validation with another {', '.join(other)}; choose another folder"
        )
    return plan


def _measured(place: Path, rest: FaceDataset, held: FaceDataset, config: TrainingConfig) -> Evaluation:
    """Export the network of a fold where that was not done yet, and measure it on the held-out faces."""
    model = place / f"{place.name}.onnx"
    if not model.with_suffix(".json").exists():  # the card is written last
        export(place, rest, place, name=place.name, test=held, architecture=config.architecture)
    return replace(evaluate(load_model(model), held), names=held.places)


def _write(folder: Path, document: dict[str, Any]) -> None:
    atomic_write(folder / RESULT, json.dumps(document, indent=2, ensure_ascii=False) + "\n")

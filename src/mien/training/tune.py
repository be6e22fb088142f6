"""A search for a better recipe: Optuna proposes, `train` tries, bad trials are ended early.

The folder holds the study (`study.db`, SQLite), a run a trial (`trial-001`, …), `trials.csv` and
`best.toml`. A trial is in the study before it is trained, each of its epochs once it is done, and its
result before it is told; so whatever was said survives a kill. A trial that was stopped goes on where its
run stands. What is proposed follows from the seed and the finished trials alone: a search that is stopped
and goes on ends as it would have.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.trial import Trial, TrialState

from mien.core.errors import OptionError, TrainingError
from mien.core.files import ensure_folder
from mien.datasets import FaceDataset
from mien.training._study import open_study, pruner, sampler
from mien.training._trials import REASON, TrialResult, best_of, options_of, read_results, write_results
from mien.training.architectures import create_network
from mien.training.checkpoints import load_checkpoint, read_logs
from mien.training.config import TrainingConfig
from mien.training.distributed import check_alone
from mien.training.loop import train
from mien.training.presets import check_crops, write_recipe
from mien.training.run_folder import BEST, LAST
from mien.training.runs.record import write_note
from mien.training.schedules import EpochLog
from mien.training.search_space import Choices, Dimension, check_space
from mien.training.split import split_data
from mien.training.start import Start

DATABASE, TABLE, RECIPE = "study.db", "trials.csv", "best.toml"
MOST_TRIALS = 100_000


class _PrunedError(Exception):
    """Ends a trial that is worse than others were."""


class _LateError(Exception):
    """Ends the search in the middle of a trial, which goes on next time."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a search found so far: its trials, the best of them, and the recipe of that."""

    trials: tuple[TrialResult, ...]
    best: TrialResult
    config: TrainingConfig

    @property
    def finished(self) -> int:
        """How many trials came to an end."""
        return sum(trial.state != "stopped" for trial in self.trials)


@dataclass(frozen=True, slots=True)
class _Job:
    """What stays the same in every trial."""

    data: FaceDataset
    folder: Path
    config: TrainingConfig
    space: Sequence[Dimension]
    start: Start | None
    deadline: float
    on_epoch: Callable[[int, EpochLog], None]
    on_step: Callable[[int, int, int, int], None]

    def place(self, number: int) -> Path:
        """Return the folder of a trial's run."""
        return self.folder / f"trial-{number:03}"

    def late(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() >= self.deadline


def tune(
    data: FaceDataset,
    folder: Path,
    config: TrainingConfig,
    space: Sequence[Dimension],
    trials: int,
    *,
    timeout: float | None = None,
    pruning: str = "median",
    start: Start | None = None,
    on_trial: Callable[[TrialResult], None] = lambda trial: None,
    on_epoch: Callable[[int, EpochLog], None] = lambda number, log: None,
    on_step: Callable[[int, int, int, int], None] = lambda number, epoch, step, steps: None,
) -> Tuning | None:
    """Search until `trials` trials are finished or the time is up; go on where the folder's search stands.

    The first trial is `config` itself, as far as it lies in the space; the others are proposed by a
    tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011). The best validation figure of a
    trial's epochs (`config.monitor`) is what counts; the split stays the same, and no other faces are seen.

    Args:
        data: faces to train on and to validate on.
        folder: of the search; created when missing. Of finished trials only the best keeps its weights.
        config: the recipe that the space changes.
        space: what may change, as `parse_search` or `default_space` return it.
        trials: how many finished trials, those before included, end the search.
        timeout: seconds; the trial at work then stops after its epoch and goes on next time.
        pruning: one of `PRUNERS`: a trial ends that is worse than the median was at its epoch, or by
            Hyperband (Li et al., JMLR 2018), or never.
        start: weights that every trial fine-tunes; fresh ones without it.
        on_trial: called when a trial has come to an end.
        on_epoch: called after each epoch with the trial, counted from 1.
        on_step: called after each step with the trial and what `train` says.

    Returns:
        The trials and the best of them; None where the time was up before any was complete.

    Raises:
        OptionError: the space is empty or does not fit the faces, an option is out of its limits, or
            torchrun started several processes.
        TrainingError: the study cannot be used or is of another search, or no trial could be trained.
        OutputError: the study cannot be written, or another search is at work in the folder.
    """
    check_alone("a search")
    check_crops(config)
    if not 1 <= trials <= MOST_TRIALS:
        raise OptionError(f"trials have to be between 1 and {MOST_TRIALS:,}, not {trials}")
    check_space(space, len(split_data(data, config).train))
    _check_networks(space, len(data.labels))
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    job = _Job(data, folder, config, space, start, deadline, on_epoch, on_step)
    ensure_folder(folder)
    with open_study(folder / DATABASE, _identity(job), config.monitor == "accuracy") as study:
        study.pruner = pruner(pruning, config)
        if not study.get_trials(deepcopy=False):
            study.enqueue_trial({d.name: v for d in space if d.holds(v := getattr(config, d.name))})
        while (done := _finished(study)) < trials and not job.late():
            study.sampler = sampler(config.seed + done)
            try:
                result = _try(study, _next(study), job)
            except _LateError:
                break
            _tidy(study, job)
            on_trial(result)
        return _outcome(study, job)


def _identity(job: _Job) -> dict[str, Any]:
    """What has to be equal for a search to go on."""
    return {
        "options": job.config.to_dict(),
        "search space": [str(dimension) for dimension in job.space],
        "faces": job.data.digest(),
        "start": None if job.start is None else job.start.facts,
    }


def _check_networks(space: Sequence[Dimension], labels: int) -> None:
    for dimension in space:
        if isinstance(dimension, Choices) and dimension.name == "architecture":
            for architecture in dimension.values:
                create_network(architecture, labels)


def _finished(study: Study) -> int:
    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _next(study: Study) -> Trial:
    """Return the trial that was stopped, or a new one."""
    stopped = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return Trial(study, stopped[0]._trial_id) if stopped else study.ask()


def _drawn(trial: Trial, dimension: Dimension) -> Any:
    """Return a trial's value; one that was drawn before stays."""
    name = dimension.name
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(name, dimension.values)
    if dimension.whole:
        return trial.suggest_int(name, int(dimension.low), int(dimension.high), log=dimension.log)
    return trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log)


def _try(study: Study, trial: Trial, job: _Job) -> TrialResult:
    """Train a trial to its end, and keep in the study what came out."""
    drawn = {dimension.name: _drawn(trial, dimension) for dimension in job.space}
    config = replace(job.config, **options_of(drawn, job.space))
    number = trial.number + 1  # Optuna counts from 0
    place = job.place(number)
    known = set(study.get_trials(deepcopy=False)[trial.number].intermediate_values)

    def judge(log: EpochLog) -> None:
        value = _figure(log, config)
        if log.epoch - 1 not in known:
            trial.report(value, log.epoch - 1)
        if log.epoch < config.epochs and trial.should_prune():
            raise _PrunedError

    def after(log: EpochLog) -> None:
        job.on_epoch(number, log)
        judge(log)
        if job.late() and log.epoch < config.epochs:
            raise _LateError

    try:
        for log in _logs_before(place):  # the last epoch may be on the disk and not in the study
            judge(log)
        logs = train(job.data, place, config, after, partial(job.on_step, number), job.start)
        value = (max if config.monitor == "accuracy" else min)(_figure(log, config) for log in logs)
        study.tell(trial, value)
    except _PrunedError:
        study.tell(trial, state=TrialState.PRUNED)
    except (TrainingError, OptionError) as error:
        trial.set_user_attr(REASON, str(error))
        study.tell(trial, state=TrialState.PRUNED)  # Optuna learns from pruned trials, not from failed ones
    result = read_results(study, config.monitor, job.space)[trial.number]
    _say_in_folder(place, result, config)
    return result


def _figure(log: EpochLog, config: TrainingConfig) -> float:
    value = log.validation_accuracy if config.monitor == "accuracy" else log.validation_loss
    if not math.isfinite(value):
        raise TrainingError(f"the validation {config.monitor} became {value} in epoch {log.epoch}")
    return value


def _logs_before(place: Path) -> list[EpochLog]:
    """Return the epochs that a stopped trial's run has; a run that is damaged is begun anew."""
    if not (place / LAST).exists():
        return []
    try:
        return read_logs(load_checkpoint(place / LAST)[1])
    except (TrainingError, ValueError):
        shutil.rmtree(place)
        return []


def _say_in_folder(place: Path, result: TrialResult, config: TrainingConfig) -> None:
    """Mark a run that has not all of its epochs, for whoever reads the folder."""
    if result.state == "complete" or not place.is_dir():
        return
    why = f": {result.reason}" if result.reason else ""
    with contextlib.suppress(TrainingError):  # it failed before its folder was a run
        write_note(place, f"{result.state} by mien tune after epoch {result.epochs} of {config.epochs}{why}")


def _tidy(study: Study, job: _Job) -> tuple[tuple[TrialResult, ...], TrialResult | None]:
    """Write the table and the best recipe, keep only the best trial's weights; return all and the best."""
    monitor = job.config.monitor
    results = read_results(study, monitor, job.space)
    best = best_of(results, monitor)
    write_results(job.folder / TABLE, results, monitor, [dimension.name for dimension in job.space])
    if best is not None:
        comment = (
            f"Trial {best.number} of {len(results)}: validation {monitor} {best.value:.4f}, by which it was "
            f"chosen.\nSearched: {'; '.join(map(str, job.space))}"
        )
        write_recipe(job.folder / RECIPE, replace(job.config, **best.options), comment)
    for result in results:
        if result.state != "stopped" and result is not best:
            for name in (LAST, BEST):
                (job.place(result.number) / name).unlink(missing_ok=True)
    return results, best


def _outcome(study: Study, job: _Job) -> Tuning | None:
    results, best = _tidy(study, job)
    if best is not None:
        return Tuning(results, best, replace(job.config, **best.options))
    if results and all(result.state == "failed" for result in results):
        raise TrainingError(f"none of {len(results)} trials could be trained; the last: {results[-1].reason}")
    return None

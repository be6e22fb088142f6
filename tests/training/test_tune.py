"""A search: it finds, prunes, survives a kill with nothing lost, and refuses what is another's."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch, of the train extra")
pytest.importorskip("optuna", reason="needs optuna, of the train extra")

from small_faces import RECIPE, small_faces

from mien.core.errors import OptionError, OutputError, TrainingError
from mien.training.presets import resolve
from mien.training.run_folder import read_config
from mien.training.search_space import parse_search
from mien.training.tune import TrialResult, Tuning, tune

SPACE = parse_search(["learning_rate=0.003..1:log", "batch_size=4,8,16"], RECIPE)
TRIALS = 6


def table(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tuning]:
    folder = tmp_path_factory.mktemp("search") / "whole"
    found = tune(small_faces(), folder, RECIPE, SPACE, TRIALS)
    assert found is not None
    return folder, found


def test_a_search_ends_with_the_recipe_of_its_best_trial(whole: tuple[Path, Tuning]) -> None:
    folder, found = whole
    rows = table(folder)
    assert [row["trial"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert (float(rows[0]["learning_rate"]), rows[0]["batch_size"]) == (0.3, "8")  # the recipe itself
    assert len({row["learning_rate"] for row in rows}) == TRIALS
    complete = [float(row["validation_accuracy"]) for row in rows if row["state"] == "complete"]
    assert found.best.value == pytest.approx(max(complete))
    assert resolve(None, folder / "best.toml", {}) == found.config
    assert read_config(folder / f"trial-{found.best.number:03}") == found.config
    kept = {path.parent.name for path in folder.glob("*/best.safetensors")}
    assert kept == {f"trial-{found.best.number:03}"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_search_goes_on_and_ends_the_same(whole: tuple[Path, Tuning], tmp_path: Path) -> None:
    place = tmp_path / "killed"
    program = textwrap.dedent(f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_tune import RECIPE, SPACE, TRIALS, small_faces, tune
        def die(number, epoch, step, steps):
            if (number, epoch) == (3, 1):
                os.kill(os.getpid(), signal.SIGKILL)
        tell = lambda trial: print(trial.number, trial.state, trial.value, flush=True)
        tune(small_faces(), Path({str(place)!r}), RECIPE, SPACE, TRIALS, on_trial=tell, on_step=die)
    """)
    killed = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ}, capture_output=True, text=True, timeout=250
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    told = killed.stdout.splitlines()
    assert [line.split()[0] for line in told] == ["1", "2"]
    assert killed.stderr == ""

    steps: list[tuple[int, int]] = []
    ended: list[TrialResult] = []
    tune(
        small_faces(), place, RECIPE, SPACE, TRIALS, on_trial=ended.append,
        on_step=lambda number, epoch, step, of: steps.append((number, epoch)),
    )  # fmt: skip
    assert steps[0] == (3, 1)  # its first epoch was done
    assert [trial.number for trial in ended] == [3, 4, 5, 6]
    for name in ("trials.csv", "best.toml"):
        assert (place / name).read_text() == (whole[0] / name).read_text()


def test_a_finished_search_trains_no_more_until_more_is_wanted(whole: tuple[Path, Tuning]) -> None:
    folder, found = whole
    ended: list[TrialResult] = []
    again = tune(small_faces(), folder, RECIPE, SPACE, TRIALS, on_trial=ended.append)
    assert again is not None
    assert (again.best, ended) == (found.best, [])


def test_another_search_in_the_folder_is_refused(whole: tuple[Path, Tuning]) -> None:
    folder, _ = whole
    before = (folder / "study.db").read_bytes()
    with pytest.raises(TrainingError, match="other search space"):
        tune(small_faces(), folder, RECIPE, SPACE[:1], TRIALS)
    with pytest.raises(TrainingError, match="other faces"):
        tune(small_faces(58), folder, RECIPE, SPACE, TRIALS)
    with pytest.raises(TrainingError, match="other options"):
        tune(small_faces(), folder, replace(RECIPE, clip=1.0), SPACE, TRIALS)
    assert (folder / "study.db").read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database, but longer than a header" * 40, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_damaged_study_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.db").write_bytes(content)
    with pytest.raises(TrainingError, match=r"study .*study\.db' cannot be used"):
        tune(small_faces(), tmp_path, RECIPE, SPACE, 1)
    assert (tmp_path / "study.db").read_bytes() == content


def test_a_study_cut_short_is_refused(whole: tuple[Path, Tuning], tmp_path: Path) -> None:
    content = (whole[0] / "study.db").read_bytes()
    (tmp_path / "study.db").write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match="cannot be used"):
        tune(small_faces(), tmp_path, RECIPE, SPACE, TRIALS)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "study.db")
    database.execute("CREATE TABLE recipes (name TEXT)")
    database.commit()
    database.close()
    with pytest.raises(TrainingError, match="something else"):
        tune(small_faces(), tmp_path, RECIPE, SPACE, 1)


def test_two_searches_do_not_share_a_folder(tmp_path: Path) -> None:
    def another(trial: TrialResult) -> None:
        with pytest.raises(OutputError, match="another mien tune is at work"):
            tune(small_faces(), tmp_path, RECIPE, SPACE, 1)

    assert tune(small_faces(), tmp_path, RECIPE, SPACE, 1, on_trial=another) is not None


@pytest.mark.parametrize("pruning", ["median", "hyperband"])
def test_bad_trials_end_early_and_say_so_in_their_folder(tmp_path: Path, pruning: str) -> None:
    config = replace(RECIPE, epochs=4, monitor="loss", learning_rate=0.05)
    space = parse_search(["architecture=small_faces:Small,small_faces:Deaf"], config)
    found = tune(small_faces(), tmp_path / "odd ?%41#", config, space, 12, pruning=pruning)
    assert found is not None
    assert found.config.architecture == "small_faces:Small"
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    assert {trial.options["architecture"] for trial in pruned} == {"small_faces:Deaf"}
    place = tmp_path / "odd ?%41#" / f"trial-{pruned[0].number:03}"
    assert f"pruned by mien tune after epoch {pruned[0].epochs} of 4" in (place / "note.txt").read_text()
    assert not (place / "last.safetensors").exists()


def test_a_trial_that_cannot_be_trained_is_told_and_passed_over(tmp_path: Path) -> None:
    space = parse_search(["architecture=small_faces:Small,small_faces:Broken"], RECIPE)
    found = tune(small_faces(), tmp_path / "some", RECIPE, space, 6)
    assert found is not None
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert failed
    assert {trial.options["architecture"] for trial in failed} == {"small_faces:Broken"}
    assert "the loss became nan" in failed[0].reason

    broken = replace(RECIPE, architecture="small_faces:Broken")
    with pytest.raises(TrainingError, match="none of 2 trials could be trained"):
        tune(small_faces(), tmp_path / "none", broken, SPACE, 2)


def test_a_search_whose_time_is_up_keeps_what_it_has(tmp_path: Path) -> None:
    assert tune(small_faces(), tmp_path, RECIPE, SPACE, 2, timeout=1e-9) is None
    found = tune(small_faces(), tmp_path, RECIPE, SPACE, 1)
    assert found is not None
    again = tune(small_faces(), tmp_path, RECIPE, SPACE, 2, timeout=1e-9)
    assert again is not None
    assert (again.finished, again.best) == (1, found.best)


def test_what_cannot_be_searched_is_known_before_the_first_trial(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="batch_size cannot be 512"):
        tune(small_faces(), tmp_path / "x", RECIPE, parse_search(["batch_size=8,512"], RECIPE), 1)
    with pytest.raises(OptionError, match="no_such_module"):
        tune(
            small_faces(), tmp_path / "x", RECIPE,
            parse_search(["architecture=small_faces:Small,no_such_module:Net"], RECIPE), 1,
        )  # fmt: skip
    with pytest.raises(OptionError, match="trials have to be between 1"):
        tune(small_faces(), tmp_path / "x", RECIPE, SPACE, 0)
    assert not (tmp_path / "x").exists()


def test_it_is_for_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "x"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(variable, value)
    with pytest.raises(OptionError, match="without torchrun"):
        tune(small_faces(), tmp_path / "x", RECIPE, SPACE, 1)
    assert not (tmp_path / "x").exists()

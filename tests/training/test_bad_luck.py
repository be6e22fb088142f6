"""A run that meets a full disk, a torn checkpoint or another network's: said clearly, and nothing lost."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from small_faces import RECIPE, small_faces  # noqa: E402

import mien  # noqa: E402
from mien.core.errors import OptionError, TrainingError  # noqa: E402
from mien.datasets import FaceDataset  # noqa: E402
from mien.training.checkpoints import load_checkpoint, prefixed, save_checkpoint  # noqa: E402
from mien.training.export import export  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.run_folder import BEST, FACTS, LAST, LOG  # noqa: E402
from mien.training.split import split_data  # noqa: E402


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")
def test_a_disk_that_is_full_leaves_the_last_checkpoint_and_the_run_goes_on(tmp_path: Path) -> None:
    folder, whole = tmp_path / "full", tmp_path / "whole"
    # The system refuses to write more than a kilobyte into a file from the second epoch on.
    program = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from small_faces import RECIPE, small_faces
        from mien.core.errors import OutputError
        from mien.training.loop import train
        def fill(log):
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        try:
            train(small_faces(), Path(sys.argv[1]), RECIPE, on_epoch=fill)
        except OutputError as error:
            sys.exit(f"refused: {error}")
    """)
    done = python(program, folder)
    assert done.returncode == 1, done.stderr
    assert "refused: " in done.stderr
    assert "safetensors' cannot be written: file too large" in done.stderr
    assert load_checkpoint(folder / LAST)[1]["epoch"] == 1
    assert not list(folder.glob(".mien-*"))
    assert len(train(small_faces(), folder, RECIPE)) == RECIPE.epochs
    train(small_faces(), whole, RECIPE)
    ends = [load_checkpoint(place / LAST)[0] for place in (folder, whole)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[1])


NORMED = replace(
    RECIPE, architecture="small_faces:Normed", epochs=2, monitor="loss", average=0.5, erase=0.5, mixup=0.5
)
# Each run dies in a process of its own, just before it writes into a file of the suffix that is named, or
# gives it the name that is named, for the second time; or after a step.
KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from small_faces import small_faces
    from test_bad_luck import NORMED
    from mien.training.loop import train
    import torch.utils.tensorboard
    def end():
        os.kill(os.getpid(), signal.SIGKILL)
    def train_until(place, folder):
        times = []
        def watch(event, arguments):
            if event == "os.rename":
                now = "name " + os.path.basename(arguments[1])
            elif event == "open" and arguments[1] == "w":
                now = "write " + os.path.splitext(str(arguments[0]))[1]
            else:
                return
            if place == now:
                times.append(now)
                if len(times) == 2:
                    end()
        sys.addaudithook(watch)
        def step(epoch, step, steps):
            if place == "step" and (epoch, step) == (1, 2):
                end()
        train(small_faces(), folder, NORMED, on_step=step)
    for place in sys.argv[2:]:
        if (child := os.fork()) == 0:
            train_until(place, Path(sys.argv[1]) / place)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")
PLACES = ("step", "write .safetensors", "name best.safetensors", "name last.safetensors", "name log.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_killed_anywhere_ends_with_the_same_bits(tmp_path: Path) -> None:
    done = python(KILLED, tmp_path, *PLACES)
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(PLACES), done.stderr
    train(small_faces(), tmp_path / "whole", NORMED)
    # The checkpoint was in place and its row was not: nothing but the row is left to do.
    assert load_checkpoint(tmp_path / "name log.csv" / LAST)[1]["epoch"] == 2
    assert len(figures(tmp_path / "name log.csv")) == 1
    for place in PLACES:
        train(small_faces(), tmp_path / place, NORMED)
        assert figures(tmp_path / place) == figures(tmp_path / "whole"), place
        for name in (LAST, BEST):
            whole, resumed = (load_checkpoint(tmp_path / run / name)[0] for run in ("whole", place))
            assert whole.keys() == resumed.keys()
            assert all(torch.equal(whole[key], resumed[key]) for key in whole), (place, name)


def figures(folder: Path) -> list[dict[str, str]]:
    """Return the log without the time that epochs took."""
    rows = csv.DictReader((folder / LOG).read_text().splitlines())
    return [{name: text for name, text in row.items() if name != "seconds"} for row in rows]


def python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip


def test_a_checkpoint_of_another_network_is_refused_and_stays(tmp_path: Path) -> None:
    train(small_faces(), tmp_path, replace(RECIPE, epochs=1))
    other = torch.nn.Linear(3, 2).state_dict()
    save_checkpoint(tmp_path / LAST, prefixed("network", other), {"epoch": 1, "logs": []})
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(TrainingError, match="of another network"):
        train(small_faces(), tmp_path, replace(RECIPE, epochs=1))
    assert (tmp_path / LAST).read_bytes() == before


def test_weights_that_are_no_numbers_any_more_are_not_kept_as_the_best(tmp_path: Path) -> None:
    torch.manual_seed(0)
    wild = replace(RECIPE, architecture="mien-tiny", learning_rate=100.0, epochs=9, batch_size=16)
    with pytest.raises(TrainingError, match=r"became (nan|inf) at .* of epoch \d.*lower learning rate"):
        train(small_faces(), tmp_path, wild)
    for file in tmp_path.glob("*.safetensors"):
        assert all(torch.isfinite(tensor).all() for tensor in load_checkpoint(file)[0].values())


ADAM = replace(RECIPE, epochs=1, optimizer="adam", learning_rate=0.01)
Tensors = dict[str, "torch.Tensor"]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run with each optimiser, after its one epoch."""
    places = {name: tmp_path_factory.mktemp(name) for name in ("sgd", "adam")}
    train(small_faces(), places["sgd"], replace(RECIPE, epochs=1))
    train(small_faces(), places["adam"], ADAM)
    return places


def without(*names: str) -> Any:
    return lambda tensors, state: ({k: v for k, v in tensors.items() if not k.startswith(names)}, state)


def shaped(name: str, *shape: int) -> Any:
    return lambda tensors, state: ({**tensors, name: torch.zeros(shape)}, state)


def said(**changes: Any) -> Any:
    return lambda tensors, state: (tensors, {**state, **changes})


def logged(**changes: Any) -> Any:
    return lambda tensors, state: (tensors, {**state, "logs": [{**state["logs"][0], **changes}]})


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without("optimizer/"), "0 tensors of the optimiser are not all"),
        (without("optimizer/1/"), "tensors of the optimiser are not all"),
        (without("average/layers.2.bias"), "1 of 2 tensors of its averaged weights are missing"),
        (without("average/"), "2 of 2 tensors of its averaged weights are missing"),
        (without("network/layers.2.bias"), "1 of 2 tensors of the network are missing"),
        (shaped("network/more", 2), "'more' is no tensor of the network"),
        (shaped("average/more", 2), "'more' is no tensor of its averaged weights"),
        (shaped("average/layers.2.bias", 1), r"has the shape \(1,\), not \(2,\)"),
        (shaped("network/layers.2.bias", 2, 1), r"has the shape \(2, 1\), not \(2,\)"),
        (said(epoch=2), "made after 2 epochs and has the logs of 1"),
        (said(epoch=0, logs=[]), "made after 0 epochs"),
        (said(epoch="1"), "lacks the number of epochs"),
        (said(epoch=True), "lacks the number of epochs"),
        (said(logs=None), "lacks the number of epochs or their logs"),
        (said(logs=[5]), "other figures than Mien writes"),
        (logged(epoch=2), "made after 1 epochs and has the logs of 1"),
        (logged(validation_loss="low"), "the validation_loss 'low'"),
        (logged(validation_loss=10**400), "the validation_loss '1000"),
        (logged(best=1), "the best '1'"),
        (logged(more=1), "other figures than Mien writes"),
    ],
)
def test_a_checkpoint_that_lacks_something_is_refused_and_not_made_up(
    stopped: dict[str, Path], tmp_path: Path, optimizer: str, change: Any, why: str
) -> None:
    config = ADAM if optimizer == "adam" else replace(RECIPE, epochs=1)
    for name in ("config.json", FACTS):
        (tmp_path / name).write_bytes((stopped[optimizer] / name).read_bytes())
    save_checkpoint(tmp_path / LAST, *change(*load_checkpoint(stopped[optimizer] / LAST)))
    with pytest.raises(TrainingError, match=why) as caught:
        train(small_faces(), tmp_path, config)
    assert "remove that file to begin this run anew" in str(caught.value)


@pytest.mark.parametrize(
    ("optimizer", "name", "shape"),
    [
        ("sgd", "optimizer/0/momentum_buffer", (3,)),
        ("adam", "optimizer/0/exp_avg", (16,)),
        ("adam", "optimizer/0/step", (1,)),
    ],
)
def test_states_of_the_optimiser_have_the_shapes_of_their_weights(
    stopped: dict[str, Path], tmp_path: Path, optimizer: str, name: str, shape: tuple[int, ...]
) -> None:
    config = ADAM if optimizer == "adam" else replace(RECIPE, epochs=1)
    tensors, state = load_checkpoint(stopped[optimizer] / LAST)
    assert name in tensors
    save_checkpoint(tmp_path / LAST, {**tensors, name: torch.zeros(shape)}, state)
    with pytest.raises(TrainingError, match="of weight 0, not what is there"):
        train(small_faces(), tmp_path, config)
    other = {("optimizer/99/momentum_buffer" if k == name else k): v for k, v in tensors.items()}
    save_checkpoint(tmp_path / LAST, other, state)
    with pytest.raises(TrainingError, match="keeps no '99/momentum_buffer'"):
        train(small_faces(), tmp_path, config)


def test_a_checkpoint_of_an_older_mien_goes_on(stopped: dict[str, Path], tmp_path: Path) -> None:
    tensors, state = load_checkpoint(stopped["sgd"] / LAST)
    del state["optimizer_tensors"]
    save_checkpoint(tmp_path / LAST, tensors, state)
    assert len(train(small_faces(), tmp_path, replace(RECIPE, epochs=1))) == 1


def changed(data: FaceDataset, where: int) -> FaceDataset:
    images = data.images.copy()
    images[where, 0, 0] ^= 1
    return replace(data, images=images)


def test_other_faces_to_choose_with_are_another_run(tmp_path: Path) -> None:
    config, data = replace(RECIPE, epochs=1, validation=0.2), small_faces()
    votes = np.ones((len(data), 2), np.float32)
    data = replace(data, votes=votes)
    train(data, tmp_path, config)
    held = int(split_data(data, config).validation[0])
    for other in (changed(data, held), replace(data, votes=votes * 2), replace(data, votes=None)):
        with pytest.raises(TrainingError, match="other faces"):
            train(other, tmp_path, config)
        with pytest.raises(TrainingError, match="other faces"):
            export(tmp_path, other, tmp_path, name="own", architecture=config.architecture)
    # A run of an older Mien does not say which they were.
    facts = json.loads((tmp_path / FACTS).read_text())
    assert len(facts.pop("validation_digest")) == 64
    (tmp_path / FACTS).write_text(json.dumps(facts))
    assert len(train(changed(data, held), tmp_path, config)) == 1


@pytest.mark.parametrize("name", ["run", "Best", "last"])
def test_a_model_is_not_written_over_the_files_of_its_run(tmp_path: Path, name: str) -> None:
    config, data = replace(RECIPE, epochs=1), small_faces()
    train(data, tmp_path / name, config)
    before = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.is_file()}
    made = mien.export(tmp_path / name, data=data, architecture=config.architecture)
    assert made.path.name == f"{name}-model.onnx"
    with pytest.raises(OptionError, match=f"cannot be called '{name}'"):
        mien.export(tmp_path / name, data=data, architecture=config.architecture, name=name)
    assert all((tmp_path / name / file).read_bytes() == content for file, content in before.items())

"""Two processes of torchrun train as one process does that computes each batch in two parts."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from safetensors.torch import load_file  # noqa: E402
from small_faces import RECIPE, Normed, small_faces  # noqa: E402

from mien.core import images  # noqa: E402
from mien.core.errors import TrainingError  # noqa: E402
from mien.training.batches import Batches  # noqa: E402
from mien.training.checkpoints import load_checkpoint  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.split import split_data  # noqa: E402
from mien.training.teachers import read_teachers  # noqa: E402

pytestmark = [
    pytest.mark.skipif(
        not torch.distributed.is_available() or sys.platform == "win32", reason="PyTorch is without gloo here"
    ),
    pytest.mark.timeout(900),  # each torchrun imports PyTorch three times, which takes a busy machine long
]

STILL = replace(
    RECIPE, architecture="small_faces:Normed", rotation=0, scale=0, shift=0, flip=False, light=0, erase=0
)
TAUGHT = replace(STILL, epochs=2, sharpness=0.05, seed=5)
AVERAGED = replace(STILL, average=0.5, patience=2)
HERE = Path(__file__).parent


def torchrun(folder: Path, *arguments: str, program: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program, or a module, in two processes."""
    if program is not None:
        file = folder / "program.py"
        file.write_text(textwrap.dedent(program))
        arguments = (str(file), *arguments)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    outside = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "MIEN_DATA": str(folder / "data")}
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=outside, capture_output=True, text=True, check=False,
        timeout=400,
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def killed(place: Path) -> subprocess.CompletedProcess[str]:
    """A run whose second process is killed in the second epoch."""
    program = """
        import os, signal
        from pathlib import Path
        from small_faces import small_faces
        from test_distributed import AVERAGED
        from mien.training import batches, loop
        if os.environ["RANK"] == "1":
            original = batches.Batches.epoch
            def dying(self, number):
                for step, parts in enumerate(original(self, number)):
                    if (number, step) == (1, 2):
                        os.kill(os.getpid(), signal.SIGKILL)
                    yield parts
            batches.Batches.epoch = dying
        loop.train(small_faces(), Path("cut"), AVERAGED)
    """
    return torchrun(place, program=program)


@pytest.fixture(scope="module")
def trained(place: Path, killed: subprocess.CompletedProcess[str]) -> Path:
    """A folder with gradients of two processes, a whole run of theirs, and the killed one gone on with."""
    program = """
        from pathlib import Path
        import torch
        from safetensors.torch import save_file
        from small_faces import Normed, small_faces
        from test_distributed import AVERAGED, STILL, TAUGHT, gradients
        from mien.training.distributed import joined
        from mien.training.loop import train
        from mien.training.teachers import read_teachers
        with joined() as group:
            found = gradients(group.wrap(Normed(2)), group.rank, group.size)
            if group.first:
                save_file(found, "gradients.safetensors")
            train(small_faces(), Path("whole"), STILL)
            teachers = read_teachers(["whole"], small_faces(), TAUGHT)
            train(small_faces(), Path("taught"), TAUGHT, teachers=teachers)
            logs = [train(small_faces(), Path(name), AVERAGED) for name in ("averaged", "cut")]
            Path(f"logs-{group.rank}").write_text(repr([[log.validation_loss for log in ls] for ls in logs]))
        names = [file.read_text() for file in Path("/proc/self/task").glob("*/comm")]
        Path(f"threads-{group.rank}").write_text("".join(names))
    """
    done = torchrun(place, program=program)
    assert done.returncode == 0, done.stderr
    return place


def gradients(network: torch.nn.Module, rank: int, size: int) -> dict[str, torch.Tensor]:
    """Return the gradients of a first batch, of which this process sees its part."""
    torch.manual_seed(4)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    config = STILL if size > 1 else replace(STILL, accumulate=2)
    for faces, targets, _ in next(Batches(split_data(small_faces(), config), config, rank, size).epoch(0)):
        share = size * len(faces) / config.batch_size
        (torch.nn.functional.cross_entropy(network(faces), targets) * share).backward()
    found = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return {name.removeprefix("module."): gradient for name, gradient in found.items()}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(folder / "last.safetensors")[0]


def test_gradients_are_those_of_the_same_two_halves_one_after_the_other(trained: Path) -> None:
    ours, theirs = gradients(Normed(2), 0, 1), load_file(trained / "gradients.safetensors")
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(theirs[name], gradient, rtol=1e-5, atol=1e-7)
    whole = Batches(split_data(small_faces(), STILL), STILL)
    faces, targets, _ = next(whole.epoch(0))[0]
    network = Normed(2)
    torch.manual_seed(4)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    torch.nn.functional.cross_entropy(network(faces), targets).backward()
    # Batch norm sees halves, so this is not what one process with the whole batch would compute.
    assert not torch.allclose(network[0].weight.grad, theirs["0.weight"], rtol=1e-3)


def test_two_processes_end_with_the_weights_of_one_that_accumulates(trained: Path, tmp_path: Path) -> None:
    logs = train(small_faces(), tmp_path, replace(STILL, accumulate=2))
    assert len(logs) == STILL.epochs
    ours, theirs = weights(tmp_path), weights(trained / "whole")
    learnt = [name for name in ours if name.startswith("network") and "running" not in name]
    assert len(learnt) > 6
    for name in learnt:
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(theirs[name], ours[name], rtol=1e-5, atol=1e-6)


def test_two_processes_are_taught_as_one_is(trained: Path, tmp_path: Path) -> None:
    config = replace(TAUGHT, accumulate=2)
    train(small_faces(), tmp_path, config, teachers=read_teachers([trained / "whole"], small_faces(), config))
    ours, theirs = weights(tmp_path), weights(trained / "taught")
    for name in ours:
        if name.startswith("network") and "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(theirs[name], ours[name], rtol=1e-4, atol=1e-5)


def test_all_processes_see_the_same_validation(trained: Path) -> None:
    first, second = ((trained / f"logs-{rank}").read_text() for rank in (0, 1))
    assert first == second


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed by Linux only")
def test_whoever_left_the_group_has_none_of_its_threads(trained: Path) -> None:
    # One that is there when the interpreter ends may abort the process after its work is done.
    for rank in (0, 1):
        names = (trained / f"threads-{rank}").read_text()
        assert "python" in names or "MainThread" in names, names
        assert "gloo" not in names


def test_a_killed_process_ends_all_and_the_run_goes_on_with_the_same_bits(
    killed: subprocess.CompletedProcess[str], trained: Path
) -> None:
    assert killed.returncode != 0
    # torchrun may end the other process before it has said that it is alone; it names the signal itself.
    assert "SIGKILL" in killed.stderr
    whole, resumed = weights(trained / "averaged"), weights(trained / "cut")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_command_line_prints_and_writes_once(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    for number in range(24):
        face = generator.integers(0, 60, (48, 48), dtype=np.uint8)
        face[24 * (number % 2) :][:24] += 150
        folder = tmp_path / "faces" / ("happy" if number % 2 else "sad")
        folder.mkdir(parents=True, exist_ok=True)
        images.save(np.repeat(face[:, :, None], 3, 2), folder / f"{number}.png")
    train_it = ("-m", "mien", "train", "faces", "--output", "run", "--epochs", "2", "--validation", "0.2")
    more: Sequence[str] = ("--batch-size", "8", "--arch", "small_faces:Normed", "--no-bf16")
    done = torchrun(tmp_path, *train_it, *more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 2/2") == 1
    assert done.stderr.count("24 faces") == 1
    assert (tmp_path / "run" / "run-model.onnx").is_file()
    refused = torchrun(tmp_path, *train_it, *more, "--epochs", "3")
    assert refused.returncode != 0
    assert refused.stderr.count("holds a run with other options") == 1


def test_a_batch_is_cut_into_parts_that_together_are_the_batch() -> None:
    config = replace(STILL, batch_size=10)
    split = split_data(small_faces(), config)
    whole = [step[0].images for step in Batches(split, config).epoch(3)]
    for processes, accumulate in ((2, 1), (1, 3), (2, 2)):
        cut = replace(config, accumulate=accumulate)
        ranks = [Batches(split, cut, rank, processes).epoch(3) for rank in range(processes)]
        steps = zip(*ranks, strict=True)
        together = [torch.cat([part.images for rank in step for part in rank]) for step in steps]
        assert len(together) == len(whole)
        assert all(torch.equal(one, other) for one, other in zip(together, whole, strict=True))


def test_a_batch_too_small_for_its_parts_is_refused() -> None:
    config = replace(STILL, accumulate=5)
    with pytest.raises(TrainingError, match="cannot be cut into 5 parts"):
        Batches(split_data(small_faces(), config), config)

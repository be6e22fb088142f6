"""A run that meets a full disk, a torn checkpoint or another network's: said clearly, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from small_faces import RECIPE, small_faces  # noqa: E402

from mien.core.errors import TrainingError  # noqa: E402
from mien.training.checkpoints import load_checkpoint, prefixed, save_checkpoint  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.run_folder import LAST  # noqa: E402


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
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "refused: " in done.stderr
    assert "safetensors' cannot be written: file too large" in done.stderr
    assert load_checkpoint(folder / LAST)[1]["epoch"] == 1
    assert not list(folder.glob(".mien-*"))
    assert len(train(small_faces(), folder, RECIPE)) == RECIPE.epochs
    train(small_faces(), whole, RECIPE)
    ends = [load_checkpoint(place / LAST)[0] for place in (folder, whole)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[1])


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

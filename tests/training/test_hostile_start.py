"""Weights and runs of strangers: no code of theirs runs, and what is odd in them is said."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from small_faces import RECIPE, small_faces  # noqa: E402

import mien  # noqa: E402
from mien.core.errors import OptionError  # noqa: E402
from mien.training.checkpoints import load_checkpoint, save_checkpoint  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.presets import resolve  # noqa: E402
from mien.training.run_folder import BEST, CONFIG  # noqa: E402
from mien.training.start import read_start  # noqa: E402

PLANTED = "planted_network:make"
ONE = {"epochs": 1, "batch_size": 8, "warmup_epochs": 0, "validation": 0.2, "bf16": False}


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that can be imported, and the file that it then leaves."""
    trace = tmp_path / "it-ran"
    (tmp_path / "planted_network.py").write_text(
        f"from pathlib import Path\nPath({str(trace)!r}).touch()\nfrom small_faces import Small as make\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield trace
    sys.modules.pop("planted_network", None)


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A run whose options, and a file whose header, name the planted module."""
    folder = tmp_path / "stranger"
    train(small_faces(), folder, RECIPE)
    options = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**options, "architecture": PLANTED}))
    tensors, state = load_checkpoint(folder / BEST)
    network = {"network": {"architecture": PLANTED}, "labels": ["happy", "sad"]}
    save_checkpoint(tmp_path / "stranger.safetensors", tensors, {**state, **network})
    return folder


def test_weights_do_not_bring_code_with_them(trace: Path, stranger: Path) -> None:
    for place in (stranger, stranger.with_suffix(".safetensors")):
        with pytest.raises(OptionError, match=f"where you trust it, say so with --architecture {PLANTED}"):
            resolve(None, None, {}, read_start(place).network)
    assert not trace.exists()


def test_weights_go_on_in_ones_own_network_where_it_is_named(
    trace: Path, stranger: Path, tmp_path: Path
) -> None:
    network = mien.create_model(PLANTED, ["happy", "sad"], start=stranger.with_suffix(".safetensors"))
    run = mien.fit(network, small_faces(), tmp_path / "own", **ONE)
    assert mien.export(run).path.exists()
    assert trace.exists()


def test_a_run_is_exported_with_code_only_where_that_is_named(trace: Path, stranger: Path) -> None:
    data = small_faces()
    with pytest.raises(OptionError, match=f"say so with --architecture {PLANTED}"):
        mien.export(stranger, data=data)
    with pytest.raises(OptionError, match=f"say so with --architecture {PLANTED}"):
        mien.export(stranger, data=data, architecture="mien-base")
    assert not trace.exists()
    assert mien.export(stranger, data=data, architecture=PLANTED).path.exists()
    assert trace.exists()

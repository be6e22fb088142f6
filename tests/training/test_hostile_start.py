"""Weights and runs of strangers: no code of theirs runs, and what is odd in them is said."""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from small_faces import RECIPE, small_faces  # noqa: E402

import mien  # noqa: E402
from mien.core.errors import MienError, OptionError, TrainingError  # noqa: E402
from mien.training.checkpoints import load_checkpoint, save_checkpoint  # noqa: E402
from mien.training.foreign import read_init  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.presets import resolve  # noqa: E402
from mien.training.run_folder import BEST, CONFIG, FACTS  # noqa: E402
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


def test_a_run_is_shown_without_its_code(trace: Path, stranger: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib, of the report extra")
    from mien.training.runs.report import report_run
    from mien.training.runs.store import store_run

    assert PLANTED in report_run(stranger).read_text()
    assert (store_run(stranger, tmp_path / "kept") / CONFIG).exists()
    with pytest.raises(TrainingError, match="other options"):
        train(small_faces(), stranger, RECIPE)
    assert not trace.exists()


WEIGHTS = {"layers.2.weight": torch.zeros(2, 16), "layers.2.bias": torch.zeros(2)}


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ([], "no JSON object"),
        ("text", "no JSON object"),
        ({"log": 5}, "the log 5"),
        ({"log": [1]}, r"the log \[1\]"),
        ({"log": {"epoch": float("nan")}}, "the number NaN"),
        ({"log": {"epoch": "last"}}, "the epoch 'last'"),
        ({"log": {"epoch": True}}, "the epoch True"),
        ({"log": {"epoch": -1}}, "the epoch -1"),
        ({"labels": "happy"}, "the labels in"),
        ({"labels": {"happy": 1, "sad": 2}}, "the labels in"),
        ({"labels": ["happy", 3]}, "the labels in"),
        ({"labels": ["happy", "happy"]}, "the labels in"),
        ({"labels": ["happy", "s\ud800d"]}, "the labels in"),
        ({"labels": ["happy", "sad\x1b[2J"]}, "the labels in"),
        ({"model": ["mien-base"]}, "which is no name"),
        ({"network": ["r2"]}, "without the name of an architecture"),
        ({"network": {"width": 1.0}}, "without the name of an architecture"),
        ({"network": {"architecture": 7}}, "unknown architecture 7"),
        ({"network": {"architecture": "os.system(1)"}}, "unknown architecture"),
        ({"network": {"architecture": "r2", "width": "wide"}}, "width"),
        ({"network": {"architecture": "r2", "width": float("inf")}}, "the number Infinity"),
        ({"network": {"architecture": "r2", "origin": ["keras"]}}, "origin"),
        ({"network": {"architecture": "r2", "depth": 9}}, "the option 'depth', which none has"),
        # An option of the recipe is no option of a network: a file must not choose how its user trains.
        ({"network": {"architecture": "r2", "epochs": 9999}}, "the option 'epochs', which none has"),
    ],
)
def test_a_header_that_says_what_cannot_be_is_refused(tmp_path: Path, state: Any, why: str) -> None:
    save_checkpoint(tmp_path / "odd.safetensors", WEIGHTS, state)
    with pytest.raises(TrainingError, match=why) as caught:
        read_start(tmp_path / "odd.safetensors")
    assert "odd.safetensors" in str(caught.value)
    assert len(str(caught.value)) < 1000


def file_of(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


NESTED = json.dumps({"__metadata__": {"mien.state": "[" * 200_000}}).encode()
TWO = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (file_of(NESTED), "nested too deeply"),
        (file_of(b'{"a":' * 2000), "no safetensors file"),
        (file_of(b"{}", length=2**63), "or only a part of one"),
        (file_of(b"{}", length=0), "or only a part of one"),
        (file_of(b"{" + b" " * (17 << 20)), "its header is larger than 16 MB"),
        (file_of(TWO + b"}", b"1234"), "no safetensors file"),
        (file_of(TWO.replace(b"F32", b"F99") + b"}", bytes(8)), "no safetensors file"),
        (
            file_of(TWO.replace(b"F32", b"C64").replace(b"[2]", b"[1]") + b"}", bytes(8)),
            "no network here has",
        ),
        (
            file_of(TWO.replace(b"F32", b"F8_E4M3").replace(b"[2]", b"[8]") + b"}", bytes(8)),
            "no network here",
        ),
        (file_of(TWO + b',"__metadata__":{"mien.state":5}}', bytes(8)), "no safetensors file"),
        (b"\x01", "or only a part of one"),
        (b"", "it is empty"),
    ],
)
def test_a_file_that_is_damaged_or_hostile_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    place = tmp_path / "odd.safetensors"
    place.write_bytes(content)
    for read in (read_start, read_init):
        if read is read_init and why == "nested too deeply":
            continue  # another program's weights have no state to read
        with pytest.raises(TrainingError, match=why):
            read(place)


def test_a_huge_file_and_what_is_none_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.safetensors").open("wb") as file:
        file.truncate((2 << 30) + 1)  # it takes no room on the disk
    for read in (read_start, read_init, load_checkpoint):
        with pytest.raises(TrainingError, match="larger than 2 GiB"):
            read(tmp_path / "huge.safetensors")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.safetensors")  # reading it would wait for ever
        for read in (read_start, read_init, load_checkpoint):
            with pytest.raises(MienError, match=r"not a file|neither a run|are no file"):
                read(tmp_path / "pipe.safetensors")


def test_weights_that_are_no_numbers_are_not_begun_with(tmp_path: Path) -> None:
    wild = {**WEIGHTS, "layers.2.bias": torch.tensor([0.0, float("nan")])}
    save_checkpoint(tmp_path / "nan.safetensors", wild, {})
    for read in (read_start, read_init):
        with pytest.raises(TrainingError, match=r"'layers\.2\.bias' holds numbers that are not finite"):
            read(tmp_path / "nan.safetensors")


def test_whole_numbers_do_not_take_the_place_of_weights(tmp_path: Path) -> None:
    whole = {name: torch.ones(tensor.shape, dtype=torch.int64) for name, tensor in WEIGHTS.items()}
    save_checkpoint(tmp_path / "whole.safetensors", whole, {"network": {"architecture": RECIPE.architecture}})
    with pytest.raises(TrainingError, match="0 of its 2 tensors"):
        mien.create_model(
            RECIPE.architecture, ["happy", "sad"], start=tmp_path / "whole.safetensors"
        ).module()


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", '{"labels": NaN}', " " * 8_000_001])
def test_a_run_whose_small_files_are_odd_is_refused(tmp_path: Path, text: str) -> None:
    for name in (CONFIG, FACTS):
        folder = tmp_path / name
        train(small_faces(), folder, RECIPE)
        (folder / name).write_text(text)
        for use in (
            lambda folder=folder: read_start(folder),
            lambda folder=folder: train(small_faces(), folder, RECIPE),
            lambda folder=folder: mien.export(folder, data=small_faces(), architecture=RECIPE.architecture),
        ):
            with pytest.raises(TrainingError, match=r"is damaged|cannot be read"):
                use()


def test_odd_labels_and_an_odd_log_of_a_run_are_refused_at_its_export(tmp_path: Path) -> None:
    train(small_faces(), tmp_path, RECIPE)
    facts = json.loads((tmp_path / FACTS).read_text())
    tensors, state = load_checkpoint(tmp_path / BEST)
    for log in (None, 5, {}, {**state["log"], "epoch": "last"}, {**state["log"], "best": 1}):
        save_checkpoint(tmp_path / BEST, tensors, {"log": log})
        with pytest.raises(TrainingError, match="are damaged"):
            mien.export(tmp_path, data=small_faces(), architecture=RECIPE.architecture)
    (tmp_path / FACTS).write_text(json.dumps({**facts, "labels": 5}))
    for use in (
        read_start,
        lambda place: mien.export(place, data=small_faces(), architecture=RECIPE.architecture),
    ):
        with pytest.raises(TrainingError, match="not two or more different names"):
            use(tmp_path)

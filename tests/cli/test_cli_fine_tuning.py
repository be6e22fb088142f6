"""Fine-tuning a shipped model as a user does, on made faces with labels of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_support import Ended
from test_cli_training import faces  # noqa: F401  (a fixture)

Mien = Callable[..., Ended]


def test_a_shipped_model_learns_labels_of_ones_own(mien: Mien, faces: Path) -> None:  # noqa: F811
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    (faces / "sad").rename(faces / "upside-down")
    for number in range(20, 60):  # ten faces an emotion are enough to see it work
        for face in faces.glob(f"*/{number}.png"):
            face.unlink()
    done = mien(
        *("train", faces, "--output", "runs/own", "--labels", "happy,upside-down"),
        *("--from", "mien-base", "--preset", "fine-tune", "--epochs", 1, "--batch-size", 8),
    )
    assert done.code == 0, done.err
    card = json.loads(Path("runs/own/own.json").read_text())
    assert card["labels"] == ["happy", "upside-down"]
    assert card["training"]["start"]["model"] == "mien-base"
    assert card["training"]["recipe"]["learning_rate"] == 0.01
    assert "--from runs/own/own.onnx" in mien("models", "show", "runs/own/own.onnx").out


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (("--preset", "fine-tune"), 2, "needs weights to start from"),
        (("--from", "no-such-model"), 2, "neither a run of mien train nor a safetensors file, and no model"),
        (("--arch", "r1", "--width", 0.5), 2, "width is no option of r1; it belongs to r2"),
        (("--arch", "r2", "--input-size", 50), 2, "multiple of 32"),
        (("--from", "mien-base", "--arch", "r1"), 3, "of mien-base, and the network is r1"),
    ],
)
def test_wrong_use_says_why(mien: Mien, faces: Path, options: tuple, code: int, why: str) -> None:  # noqa: F811
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    done = mien("train", faces, "--output", "runs/x", *options)
    assert why in done.err
    assert done.code == code
    assert not Path("runs/x").exists()


def test_the_shipped_model_says_that_it_can_be_fine_tuned(mien: Mien) -> None:
    assert "fine-tuning: mien train DATA --from mien-base" in mien("models", "show", "mien-base").out
    assert json.loads(mien("models", "show", "mien-base", "--json").out)["fine_tuning"] is True


def test_code_that_a_run_names_is_run_only_where_the_user_names_it_too(mien: Mien, faces: Path) -> None:  # noqa: F811
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    Path("planted_net.py").write_text(
        "from pathlib import Path\nPath('it-ran').touch()\n"
        "from torch import nn\n"
        "def make(labels):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(2304, labels))\n"
    )
    named, quick = ("--arch", "planted_net:make"), ("--epochs", 1, "--batch-size", 8)
    sys.path.insert(0, str(Path.cwd()))
    try:
        assert mien("train", faces, "--output", "runs/own", *quick, *named).code == 0
        sys.modules.pop("planted_net")
        Path("it-ran").unlink()
        for command in (
            ("export", "runs/own", faces),
            ("train", faces, "--output", "runs/x", "--from", "runs/own", *quick),
        ):
            done = mien(*command)
            assert done.code == 2
            assert "where you trust it, say so with --architecture planted_net:make" in done.err
            assert not Path("it-ran").exists()
            done = mien(*command, *named)
            assert done.code == 0, done.err
            sys.modules.pop("planted_net")
            Path("it-ran").unlink()
    finally:
        sys.path.pop(0)
        sys.modules.pop("planted_net", None)

"""The bar and the lines of a long command: each where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import on_terminal

from mien.core import images
from mien.testing import picture

WORK = """
from mien.cli._progress import ProgressBar
with ProgressBar(10, "Training") as bar:
    bar.show(3, 10, "Epoch 1 of 2")
    print("epoch 1/2", flush=True)
"""


def test_lines_reach_the_pipe_while_the_bar_is_on_the_terminal() -> None:
    piped, shown = on_terminal(WORK, out=False)
    assert piped == b"epoch 1/2\n"
    assert b"Epoch 1 of 2" in shown
    assert b"epoch 1/2" not in shown


def test_lines_stand_above_the_bar_on_one_terminal() -> None:
    _, shown = on_terminal(WORK)
    assert b"epoch 1/2\r\n" in shown
    assert b"Epoch 1 of 2" in shown


def test_the_first_reading_of_faces_is_shown_and_the_next_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    for number in range(8):
        folder = tmp_path / "faces" / ("happy" if number % 2 else "sad")
        folder.mkdir(parents=True, exist_ok=True)
        images.save(picture(48, 48, seed=number), folder / f"{number}.png")
    describe = f"from mien.cli import main; main(['dataset', 'describe', {str(tmp_path / 'faces')!r}])"
    _, first = on_terminal(describe)
    _, second = on_terminal(describe)
    assert b"Reading faces" in first
    assert b"8/8" in first
    assert b"Reading faces" not in second
    assert b"8 faces" in second

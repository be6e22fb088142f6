"""The bar and the lines of a long command: each where it belongs."""

from __future__ import annotations

from cli_support import on_terminal

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

"""Progress and messages on standard error, side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from mien.cli._text import complain, printable


class ProgressBar:
    """A bar on standard error where that is a terminal and there is more than one input; else nothing.

    With `wait` it appears with the first thing it shows.
    """

    def __init__(self, total: int, what: str = "Analysing", *, wait: bool = False) -> None:
        self._bar, self._wait = None, wait
        if total > 1 and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(file=sys.stderr),
                transient=True,
                # Lines go above the bar where they share its terminal, and into the file or pipe where not.
                redirect_stdout=sys.stdout.isatty(),
            )
            self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Self:
        if self._bar is not None and not self._wait:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int, what: str | None = None) -> None:
        """Move the bar to `done` of `total`; `what` is a new text before it."""
        if self._bar is not None:
            self._bar.start()  # does nothing where it was started
            self._bar.update(self._task, completed=done, total=total, description=what)

    def complain(self, message: object) -> None:
        """Print one line for a person, above the bar."""
        if self._bar is None:
            complain(message)
        else:
            self._bar.console.print(
                f"mien: {printable(str(message))}", markup=False, highlight=False, soft_wrap=True
            )


@contextmanager
def reading() -> Iterator[Callable[[int, int], None]]:
    """Give what shows the reading of faces: a bar when a read turns out to take its time, else nothing."""
    with ProgressBar(2, "Reading faces", wait=True) as bar:
        yield bar.show

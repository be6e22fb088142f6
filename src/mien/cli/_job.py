"""One run over many photos, as `mien analyze` does it: results, files, messages, exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli import _exits
from mien.cli._interrupt import Interrupt
from mien.cli._progress import ProgressBar
from mien.cli._results import Printer, stop_printing
from mien.cli._text import complain
from mien.core.errors import OptionError
from mien.core.files import shown

if TYPE_CHECKING:
    from mien.batch import Item, Ledger, Outcome, PhotoWorker


def check_places(output: Path | None, annotate: Path | None, ledger: Path | None) -> None:
    """Find out before the work whether its results can be kept.

    Raises:
        OptionError: the suffix of `output` is not known, or two of the places are one.
        MissingExtraError: the format needs a part of Mien that is not installed.
        OutputError: a file or folder cannot be written.
    """
    from mien import batch

    # Compared before anything is made, so that a refused command leaves nothing behind.
    if annotate is not None:
        for option, file in (("--output", output), ("--ledger", ledger)):
            if file is not None and file.absolute() == annotate.absolute():
                raise OptionError(f"--annotate and {option} are one place, {shown(annotate)}; name two")
    if output is not None:
        batch.check_output(output)
    if ledger is not None:
        if output is not None and ledger.absolute() == output.absolute():
            raise OptionError(f"--ledger and --output are one file, {shown(ledger)}; name two")
        batch.check_folder(ledger.parent)
    if annotate is not None:
        batch.check_folder(annotate)


def check_not_inputs(items: Sequence[Item], *outputs: Path | None) -> None:
    """Refuse to write over a picture that is to be read."""
    sources = {item.source.resolve() for item in items if isinstance(item.source, Path)}
    for output in outputs:
        if output is not None and output.resolve() in sources:
            raise OptionError(f"{shown(output)} is an input as well as an output; name another file")


@dataclass
class _Tally:
    done: int = 0
    failed: int = 0
    faces: int = 0
    keeps_older_file: bool = False


@dataclass
class Job:
    """What to do and where to put it; `run` does it once.

    Attributes:
        items: from `mien.batch.plan`, with targets where pictures are to be annotated.
        worker: analyses and annotates.
        jobs: processes; 1 is this one.
        output: file for all results, or None.
        annotate: folder for annotated pictures, or None.
        labels: of the model, for the columns of tables.
        ledger: file that knows what is done, or None.
        keep_ledger: leave it when the run has ended.
        resume: go on from the ledger.
        settings: what has to be equal for going on.
        announce: say at the end what was written where.
    """

    items: Sequence[Item]
    worker: PhotoWorker
    jobs: int = 1
    output: Path | None = None
    annotate: Path | None = None
    labels: Sequence[str] | None = None
    ledger: Path | None = None
    keep_ledger: bool = False
    resume: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    announce: bool = True

    def run(self, show: Printer) -> int:
        """Do the work, print and write the results, and return the exit code."""
        from mien import batch

        tally = _Tally()
        with ExitStack() as stack:
            book = None
            if self.ledger is not None:
                book = stack.enter_context(batch.Ledger(self.ledger, self.settings, fresh=not self.resume))
            try:
                interrupt = stack.enter_context(Interrupt())
                self._work(book, interrupt, tally, show)
            except BaseException:
                self._leave(book)
                raise
            if book is not None and not interrupt.happened() and not self.keep_ledger:
                book.remove()
        return self._conclude(tally, interrupt)

    def _work(self, book: Ledger | None, interrupt: Interrupt, tally: _Tally, show: Printer) -> None:
        from mien import batch

        with ProgressBar(len(self.items)) as bar:
            outcomes = batch.run(
                self.items,
                self.worker,
                executor="serial" if self.jobs == 1 else "processes",
                jobs=self.jobs,
                ledger=book,
                progress=bar.show,
                is_cancelled=interrupt.happened,
            )
            with closing(outcomes):
                self._deliver(outcomes, interrupt, tally, show, bar)
        self._print(show.finish)

    def _deliver(
        self,
        outcomes: Iterator[Outcome],
        interrupt: Interrupt,
        tally: _Tally,
        show: Printer,
        bar: ProgressBar,
    ) -> None:
        from mien.batch import result_file

        was_there = self.output is not None and self.output.exists()

        def is_wanted() -> bool:
            # Some results are better than none, but not better than an earlier run's that may be complete.
            tally.keeps_older_file = was_there and interrupt.happened() and self._left(tally) > 0
            return not tally.keeps_older_file

        with ExitStack() as stack:
            write = None
            if self.output is not None:
                file = result_file(self.output, labels=self.labels, is_wanted=is_wanted)
                write = stack.enter_context(file)
            for outcome in outcomes:
                if write is not None:
                    write(outcome)
                if outcome.analysis is None:
                    tally.failed += 1
                    bar.complain(_failure(outcome))
                else:
                    tally.done += 1
                    tally.faces += len(outcome.analysis.faces)
                    self._print(show.add, outcome.analysis)

    def _print(self, action: Any, *values: Any) -> None:
        try:
            action(*values)
        except BrokenPipeError:
            # Whoever read the lines has enough; the files are still wanted.
            if self.output is None and self.annotate is None:
                raise
            stop_printing()

    def _leave(self, book: Ledger | None) -> None:
        if book is None:
            return
        if len(book):
            complain(
                f"{_counted(len(book), 'picture')} done, kept in {shown(book.path)}; the same command goes on"
            )
        elif not self.keep_ledger:
            book.remove()

    def _left(self, tally: _Tally) -> int:
        return len(self.items) - tally.done - tally.failed

    def _conclude(self, tally: _Tally, interrupt: Interrupt) -> int:
        if tally.done and self.announce:
            self._announce(tally)
        if interrupt.number is not None:
            goes_on = "; the same command goes on" if self.ledger is not None else ""
            inputs = _counted(len(self.items), "input")
            complain(f"interrupted with {self._left(tally)} of {inputs} left{goes_on}")
            return 128 + interrupt.number
        if not tally.done:
            complain(
                f"nothing could be done: all {tally.failed} inputs failed"
                if tally.failed > 1
                else "nothing could be done"
            )
            return _exits.NOTHING_DONE
        if tally.failed:
            complain(f"{tally.failed} of {_counted(len(self.items), 'input')} failed")
            return _exits.SOME_FAILED
        return _exits.DONE

    def _announce(self, tally: _Tally) -> None:
        if self.output is not None and tally.keeps_older_file:
            kept = "" if self.ledger is None else f"; results so far are kept in {shown(self.ledger)}"
            complain(f"left {shown(self.output)} as it was before this run{kept}")
        elif self.output is not None:
            amount = f"{_counted(tally.done, 'picture')}, {_counted(tally.faces, 'face')}"
            complain(f"wrote {shown(self.output)}: {amount}")
        if self.annotate is not None:
            complain(f"drew {_counted(tally.done, 'picture')} into {shown(self.annotate)}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _failure(outcome: Outcome) -> str:
    message, name = str(outcome.error), outcome.item.name
    if name == "-":
        return message if "standard input" in message else f"standard input: {message}"
    return message if name in message or shown(name) in message else f"{shown(name)}: {message}"

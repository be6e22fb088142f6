"""One run over many photos and films, as `mien analyze` does it: results, files, messages, exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli import _exits
from mien.cli._interrupt import Interrupt
from mien.cli._progress import ProgressBar
from mien.cli._results import Printer, stop_printing
from mien.cli._text import complain
from mien.core.files import shown

if TYPE_CHECKING:
    from mien.batch import FilmWorker, Item, Ledger, Outcome, PhotoWorker


@dataclass
class _Tally:
    done: int = 0
    failed: int = 0
    photos: int = 0
    faces: int = 0
    films: int = 0
    read_s: float = 0.0
    cut_short: bool = False  # a film was left in the middle
    keeps_older_file: bool = False
    spared: list[Path] = field(default_factory=list)  # results of an earlier run that are better


@dataclass
class Job:
    """What to do and where to put it; `run` does it once.

    Attributes:
        items: from `mien.batch.plan`, with targets where pictures are to be annotated or films written.
        worker: analyses and annotates photos.
        film_worker: analyses films and writes what their targets ask for; None where there are none.
        jobs: processes; 1 is this one.
        outputs: files for the results of all photos.
        folder: for everything about films, or None.
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
    film_worker: FilmWorker | None = None
    jobs: int = 1
    outputs: Sequence[Path] = ()
    folder: Path | None = None
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

        photos = [item for item in self.items if not item.is_film]
        if photos:
            with ProgressBar(len(photos)) as bar:
                outcomes = batch.run(
                    photos,
                    self.worker,
                    executor="serial" if self.jobs == 1 else "processes",
                    jobs=self.jobs,
                    ledger=book,
                    progress=bar.show,
                    is_cancelled=interrupt.happened,
                )
                with closing(outcomes):
                    self._deliver(outcomes, interrupt, tally, show, bar)
        self._films(book, interrupt, tally, show)
        self._print(show.finish)

    def _films(self, book: Ledger | None, interrupt: Interrupt, tally: _Tally, show: Printer) -> None:
        from mien import batch

        for item in self.items:
            if not item.is_film or self.film_worker is None or interrupt.happened():
                continue
            # One bar a film: its seconds are what there is to count.
            with ProgressBar(2, shown(item.name), wait=True) as bar:
                worker = replace(
                    self.film_worker,
                    on_frame=lambda frame: self._print(show.add_frame, frame),
                    on_time=partial(_show_time, bar),
                )
                outcomes = batch.run_films([item], worker, ledger=book, is_cancelled=interrupt.happened)
                with closing(outcomes):
                    for outcome in outcomes:
                        self._deliver_film(outcome, tally, show, bar)

    def _deliver_film(self, outcome: Outcome, tally: _Tally, show: Printer, bar: ProgressBar) -> None:
        film = outcome.film
        if film is None:
            tally.failed += 1
            bar.complain(_failure(outcome))
            return
        for damage in film.damage:
            bar.complain(f"{shown(outcome.item.name)}: {damage}")
        if film.complete:
            tally.done += 1
            tally.films += 1
            tally.read_s += film.read_s
        elif outcome.spared and outcome.item.target is not None:
            tally.spared.append(outcome.item.target)
        else:
            tally.cut_short = True
        self._print(show.add_film, film)

    def _deliver(
        self,
        outcomes: Iterator[Outcome],
        interrupt: Interrupt,
        tally: _Tally,
        show: Printer,
        bar: ProgressBar,
    ) -> None:
        from mien.batch import result_file

        was_there = any(output.exists() for output in self.outputs)

        def is_wanted() -> bool:
            # Some results are better than none, but not better than an earlier run's that may be complete.
            tally.keeps_older_file = was_there and interrupt.happened() and self._left(tally) > 0
            return not tally.keeps_older_file

        with ExitStack() as stack:
            files = [result_file(path, labels=self.labels, is_wanted=is_wanted) for path in self.outputs]
            writes = [stack.enter_context(file) for file in files]
            for outcome in outcomes:
                for write in writes:
                    write(outcome)
                if outcome.analysis is None:
                    tally.failed += 1
                    bar.complain(_failure(outcome))
                else:
                    tally.done += 1
                    tally.photos += 1
                    tally.faces += len(outcome.analysis.faces)
                    self._print(show.add, outcome.analysis)

    def _print(self, action: Any, *values: Any) -> None:
        try:
            action(*values)
        except BrokenPipeError:
            # Whoever read the lines has enough; the files are still wanted.
            if not (self.outputs or self.annotate or self.folder):
                raise
            stop_printing()

    def _leave(self, book: Ledger | None) -> None:
        if book is None:
            return
        if len(book):
            noun = "input" if self.film_worker else "picture"
            complain(
                f"{_counted(len(book), noun)} done, kept in {shown(book.path)}; the same command goes on"
            )
        elif not self.keep_ledger:
            book.remove()

    def _left(self, tally: _Tally) -> int:
        return len(self.items) - tally.done - tally.failed

    def _conclude(self, tally: _Tally, interrupt: Interrupt) -> int:
        if (tally.done or tally.cut_short or tally.spared) and self.announce:
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
        if self.folder is not None and (tally.films or tally.cut_short):
            films = f"{_counted(tally.films, 'film')} ({tally.read_s:.1f} s of film)"
            cut = ", and one up to where it was interrupted" if tally.cut_short else ""
            complain(f"wrote {shown(self.folder)}: {films}{cut}")
        for target in tally.spared:
            complain(f"left {shown(target)} as it was before this run")
        if not tally.photos:
            return
        amount = f"{_counted(tally.photos, 'picture')}, {_counted(tally.faces, 'face')}"
        kept = "" if self.ledger is None else f"; results so far are kept in {shown(self.ledger)}"
        for output in self.outputs:
            if tally.keeps_older_file:
                complain(f"left {shown(output)} as it was before this run{kept}")
            else:
                complain(f"wrote {shown(output)}: {amount}")
        if self.annotate is not None:
            complain(f"drew {_counted(tally.photos, 'picture')} into {shown(self.annotate)}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show_time(bar: ProgressBar, done_s: float, length_s: float | None) -> None:
    if length_s:
        bar.show(min(round(done_s), round(length_s)), max(1, round(length_s)))


def _failure(outcome: Outcome) -> str:
    message, name = str(outcome.error), outcome.item.name
    if name == "-":
        return message if "standard input" in message else f"standard input: {message}"
    return message if name in message or shown(name) in message else f"{shown(name)}: {message}"

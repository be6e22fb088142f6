"""The base of all writers: opened and closed as a `with` block, atomic."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from mien.core.errors import OptionError
from mien.core.files import atomic_path, refusal, shown
from mien.records._table import Cells, Table
from mien.records.schema import Column, Item, Result, normalized


class Writer(ABC):
    """Writes results one after another to a file that appears when the `with` block ends well.

    With `partial` the file also appears when the block ends in an error, with what was written until then,
    and nothing waits in memory longer than it has to: long work that is interrupted leaves something. With
    `spare` too it does not appear then, and a file that was there before stays as it was.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        labels: Sequence[str] | None = None,
        partial: bool = False,
        spare: bool = False,
    ) -> None:
        self.path = Path(path)
        self._labels = labels
        self._partial = partial
        self._spare = spare
        self._stack: ExitStack | None = None
        self._written = 0
        self._broken: Exception | None = None

    def __enter__(self) -> Self:
        if self._stack is not None:
            raise OptionError(f"the writer of {shown(self.path)} is open already; make another one")
        with ExitStack() as stack:
            self._place = stack.enter_context(self._target())
            self._open(self._place)
            # The stack has to see an error of closing too: then the temporary file goes.
            stack.push(self._closing)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stack, self._stack = self._stack, None
        if stack is None:
            return
        if self._partial and self._written and not self._spare:
            kind = error = traceback = None
        stack.__exit__(kind, error, traceback)

    def write(self, item: Item) -> None:
        """Write one result or failure.

        Raises:
            OptionError: `item` is neither, or a table's face has an unknown label.
            OutputError: the file cannot be written.
        """
        if self._stack is None:
            raise OptionError(f"the writer of {shown(self.path)} is not open; use it in a with block")
        try:
            self._write(normalized(item))
            if self._partial:
                self._flush_item()
        except OSError as error:
            self._broken = refusal(self.path, error)
            raise self._broken from error
        self._written += 1

    def take_back(self) -> None:
        """Leave out what was written last, where other files could not take it; then no more is written."""
        if self._stack is not None and self._written and self._partial:
            self._written -= 1
            with suppress(OSError):
                self._take_back()

    def _take_back(self) -> None:  # noqa: B027 - a format that cannot holds one more
        """Remove the last item from the file."""

    def _target(self) -> AbstractContextManager[Path]:
        """Return the place to write to; the finished file is moved over the path."""
        return atomic_path(self.path)

    def _closing(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._broken is None or not self._partial:
            self._close(failed=kind is not None)
        else:
            self._save(self._broken)

    def _flush_item(self) -> None:  # noqa: B027 - most formats keep nothing back that could be read
        """Hand what was written to the system, where that makes an unfinished file readable."""

    def _save(self, error: Exception) -> None:
        """Close the file after a failed write, readable as far as it got, or raise `error`."""
        with suppress(OSError):
            self._close(failed=True)
        raise error

    @abstractmethod
    def _open(self, target: Path) -> None: ...

    @abstractmethod
    def _write(self, item: Result) -> None: ...

    @abstractmethod
    def _close(self, *, failed: bool) -> None:
        """Close the file, complete unless the work `failed`."""


class TableWriter(Writer):
    """The base of writers of tables: rows of cells under one head."""

    _table: Table

    def _open(self, target: Path) -> None:
        self._table = Table(self._labels)
        self._started = False
        self._open_file(target)

    def _write(self, item: Result) -> None:
        for cells in self._table.rows(item):
            self._start()
            self._write_row(cells)

    def _close(self, *, failed: bool) -> None:
        try:
            if not failed:
                for cells in self._table.remaining():
                    self._start()
                    self._write_row(cells)
                self._start()
        except BaseException:
            self._close_file(failed=True)
            raise
        self._close_file(failed=failed)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._write_head(self._table.columns)

    @abstractmethod
    def _open_file(self, target: Path) -> None: ...

    @abstractmethod
    def _write_head(self, columns: Sequence[Column]) -> None: ...

    @abstractmethod
    def _write_row(self, cells: Cells) -> None: ...

    @abstractmethod
    def _close_file(self, *, failed: bool) -> None: ...

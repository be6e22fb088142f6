"""What the writers of tables share: which columns, and rows in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mien.core.errors import OptionError
from mien.records._cells import value
from mien.records.schema import Column, Failure, Result, columns_for, labels_of, rows

Cells = list[str | int | float | None]


class Table:
    """Turns results into rows of cells; settles the columns with the first face.

    A table's head comes first, but the labels are only known with the first face: without `labels`,
    rows before it wait.
    """

    def __init__(self, labels: Sequence[str] | None) -> None:
        self.columns: tuple[Column, ...] = ()
        self._labels: tuple[str, ...] | None = None
        self._waiting: list[Result] = []
        if labels is not None:
            self._settle(tuple(labels))

    @property
    def settled(self) -> bool:
        """Whether the columns are known."""
        return self._labels is not None

    def rows(self, item: Result) -> Iterator[Cells]:
        """Yield the rows that can be written now, those that waited first."""
        found = labels_of(item)
        if self._labels is None:
            if found is None:
                self._waiting.append(item)
                return
            self._settle(found)
        yield from self._take_waiting()
        yield from self._cells(item)

    def remaining(self) -> Iterator[Cells]:
        """Yield the rows that still wait when no face ever came; settles the columns without scores."""
        if self._labels is None:
            self._settle(())
        yield from self._take_waiting()

    def _take_waiting(self) -> Iterator[Cells]:
        waiting, self._waiting = self._waiting, []
        for item in waiting:
            yield from self._cells(item)

    def _settle(self, labels: tuple[str, ...]) -> None:
        if len(set(labels)) != len(labels):
            raise OptionError(f"labels have to be different, not {', '.join(labels)}")
        self._labels = labels
        self.columns = columns_for(labels)

    def _cells(self, item: Result) -> Iterator[Cells]:
        self._check_labels(item)
        for row in rows(item):
            yield [value(column, row.get(column.name)) for column in self.columns]

    def _check_labels(self, item: Result) -> None:
        if isinstance(item, Failure):
            return
        known = set(self._labels or ())
        for face in item.faces:
            if not known.issuperset(face.scores):
                raise OptionError(
                    f"this table has the labels {', '.join(self._labels or ())}, a face of {item.source!r} "
                    f"has {', '.join(face.scores)}; write JSON Lines, or give all labels with labels="
                )

"""Results on standard output: a table for people, tab-separated lines for programs, JSON Lines on request."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Protocol

from mien.cli._text import printable
from mien.core.emotions import display_name

if TYPE_CHECKING:
    from rich.table import Table

    from mien.core.results import Face, ImageAnalysis

_MOST_ROWS = 500


class Printer(Protocol):
    """Shows one analysis after another."""

    def add(self, analysis: ImageAnalysis) -> None:
        """Show `analysis`, now or at the end."""
        ...

    def finish(self) -> None:
        """Show what is still to be shown."""
        ...


def printer(*, as_json: bool, quiet: bool, language: str) -> Printer:
    """Return the printer that fits standard output."""
    if quiet:
        return Silent()
    if as_json:
        return JsonLines()
    return FaceTable(language) if sys.stdout.isatty() else PlainLines(language)


class Silent:
    """Shows nothing."""

    def add(self, analysis: ImageAnalysis) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """Show nothing."""


class JsonLines:
    """One JSON object a picture, as `ImageAnalysis.to_dict` makes it, in ASCII."""

    def add(self, analysis: ImageAnalysis) -> None:
        """Write one line."""
        _write(json.dumps(analysis.to_dict(), ensure_ascii=True))

    def finish(self) -> None:
        """Nothing is left."""


class PlainLines:
    """One line a face: picture, number, emotion, confidence, x, y, width, height, separated by tabs.

    A picture without a face has one line with the number 0 and "-" in the other columns.
    """

    def __init__(self, language: str) -> None:
        self._language = language

    def add(self, analysis: ImageAnalysis) -> None:
        """Write the lines of one picture."""
        source = printable(analysis.source or "-")
        if not analysis.faces:
            _write("\t".join([source, "0", *"------"]))
        for number, face in enumerate(analysis.faces, 1):
            box = face.box
            cells = [
                source,
                number,
                printable(display_name(face.emotion, self._language)),
                f"{face.confidence:.4f}",
                *(box.x, box.y, box.width, box.height),
            ]
            _write("\t".join(map(str, cells)))

    def finish(self) -> None:
        """Nothing is left."""


class FaceTable:
    """A table of all faces, drawn at the end."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._rows: list[tuple[str, ...]] = []
        self._left_out = 0

    def add(self, analysis: ImageAnalysis) -> None:
        """Keep the rows of one picture."""
        source = printable(analysis.source or "-")
        if not analysis.faces:
            self._keep((source, "no face", "", "", ""))
        for face in analysis.faces:
            self._keep((source, *self._cells(face)))

    def _cells(self, face: Face) -> tuple[str, ...]:
        box = face.box
        emotion = printable(display_name(face.emotion, self._language))
        if face.emotion is None:
            emotion = f"{emotion} ({printable(display_name(face.top, self._language))}?)"
        place = f"{box.width}×{box.height} at {box.x}, {box.y}"
        return (emotion, f"{face.confidence:.0%}", place, ", ".join(face.quality.reasons))

    def _keep(self, row: tuple[str, ...]) -> None:
        if len(self._rows) < _MOST_ROWS:
            self._rows.append(row)
        else:
            self._left_out += 1

    def finish(self) -> None:
        """Draw the table."""
        if not self._rows:
            return
        from rich.console import Console

        console = Console(file=sys.stdout)
        console.print(self._table())
        if self._left_out:
            console.print(f"… and {self._left_out} more; --output FILE keeps them all", markup=False)

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table("Picture", "Emotion", "Confidence", "Face", "Doubts")
        table.columns[2].justify = "right"
        table.columns[0].overflow = "fold"
        previous = None
        for source, *cells in self._rows:
            table.add_row(Text("" if source == previous else source), *map(Text, cells))
            previous = source
        return table


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


def stop_printing() -> None:
    """Point standard output nowhere: its reader has gone, the files are still to be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""Results on standard output: a table for people, tab-separated lines for programs, JSON Lines on request."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Protocol

from mien.cli._table import FaceTable
from mien.cli._text import printable

if TYPE_CHECKING:
    from mien.core.results import ImageAnalysis


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
    return FaceTable(language) if sys.stdout.isatty() else PlainLines()


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

    The emotion is the model's label in every language, or "uncertain". A picture without a face has one
    line with the number 0 and "-" in the other columns.
    """

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
                printable(face.emotion or "uncertain"),
                f"{face.confidence:.4f}",
                *(box.x, box.y, box.width, box.height),
            ]
            _write("\t".join(map(str, cells)))

    def finish(self) -> None:
        """Nothing is left."""


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


def stop_printing() -> None:
    """Point standard output nowhere: its reader has gone, the files are still to be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

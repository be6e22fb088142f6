"""Results on standard output: a table for people, tab-separated lines for programs, JSON Lines on request."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Protocol

from mien.cli._persons import PersonTable
from mien.cli._table import FaceTable
from mien.cli._text import printable

if TYPE_CHECKING:
    from mien.core.film import FilmFrame
    from mien.core.film_results import FilmSummary
    from mien.core.results import Face, ImageAnalysis


class Printer(Protocol):
    """Shows one analysis after another."""

    def add(self, analysis: ImageAnalysis) -> None:
        """Show `analysis`, now or at the end."""
        ...

    def add_frame(self, frame: FilmFrame) -> None:
        """Show a frame of a film, now or not at all."""
        ...

    def add_film(self, film: FilmSummary) -> None:
        """Show what a film came to, at the end or not at all."""
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
    return Tables(language) if sys.stdout.isatty() else PlainLines()


class Tables:
    """A table of the faces in photos, and one of the persons in films, drawn at the end."""

    def __init__(self, language: str) -> None:
        self._faces, self._persons = FaceTable(language), PersonTable(language)
        self.add, self.add_film = self._faces.add, self._persons.add

    def add_frame(self, frame: FilmFrame) -> None:
        """The persons of the whole film are shown."""

    def finish(self) -> None:
        """Draw what there is."""
        self._faces.finish()
        self._persons.finish()


class Silent:
    """Shows nothing."""

    def add(self, analysis: ImageAnalysis) -> None:
        """Show nothing."""

    def add_frame(self, frame: FilmFrame) -> None:
        """Show nothing."""

    def add_film(self, film: FilmSummary) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """Show nothing."""


class JsonLines:
    """One JSON object a picture or frame, as `to_dict` of its analysis makes it, in ASCII."""

    def add(self, analysis: ImageAnalysis) -> None:
        """Write one line."""
        _write(json.dumps(analysis.to_dict(), ensure_ascii=True))

    def add_frame(self, frame: FilmFrame) -> None:
        """Write one line."""
        _write(json.dumps(frame.to_dict(), ensure_ascii=True))

    def add_film(self, film: FilmSummary) -> None:
        """Its frames were written already."""

    def finish(self) -> None:
        """Nothing is left."""


class PlainLines:
    """One line a face: picture, number, emotion, confidence, x, y, width, height, separated by tabs.

    The emotion is the model's label in every language, or "uncertain". A picture without a face has one
    line with the number 0 and "-" in the other columns. A face in a film has the frame, its time in seconds
    and the number of the person instead of its own number; frames without a face have no line.
    """

    def add(self, analysis: ImageAnalysis) -> None:
        """Write the lines of one picture."""
        source = printable(analysis.source or "-")
        if not analysis.faces:
            _write("\t".join([source, "0", *"------"]))
        for number, face in enumerate(analysis.faces, 1):
            _write("\t".join(map(str, (source, number, *_cells(face)))))

    def add_frame(self, frame: FilmFrame) -> None:
        """Write the lines of one frame."""
        place = (printable(frame.source), frame.analysis.index, f"{frame.analysis.time_s:.3f}")
        for face in frame.faces:
            _write("\t".join(map(str, (*place, face.track_id, *_cells(face)))))

    def add_film(self, film: FilmSummary) -> None:
        """Its frames were written already."""

    def finish(self) -> None:
        """Nothing is left."""


def _cells(face: Face) -> tuple[object, ...]:
    box = face.box
    emotion = printable(face.emotion or "uncertain")
    return (emotion, f"{face.confidence:.4f}", box.x, box.y, box.width, box.height)


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


def stop_printing() -> None:
    """Point standard output nowhere: its reader has gone, the files are still to be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

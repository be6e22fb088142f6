"""The table of faces for people: as wide as the terminal, or short lines where that is narrow."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from mien.cli._text import printable
from mien.core.emotions import LANGUAGES, display_name

if TYPE_CHECKING:
    from rich.table import Table

    from mien.core.results import Face, ImageAnalysis

_MOST_ROWS = 500
_NARROW = 60
_LEAST_NAME = 12  # letters of a picture's name on one line of the table

_WORDS: dict[str, tuple[str, ...]] = {
    "Picture": ("Picture", "Ảnh", "Fotografie"),
    "Emotion": ("Emotion", "Cảm xúc", "Emoție"),
    "Confidence": ("Confidence", "Độ tin cậy", "Încredere"),
    "Face": ("Face", "Khuôn mặt", "Față"),
    "Doubts": ("Doubts", "Nghi ngờ", "Îndoieli"),
    "no face": ("no face", "không có khuôn mặt", "nicio față"),
    "at": ("at", "tại", "la"),
    "small": ("small", "nhỏ", "mică"),
    "blurred": ("blurred", "mờ", "neclară"),
    "dark": ("dark", "tối", "întunecată"),
    "bright": ("bright", "sáng quá", "prea luminoasă"),
    "turned": ("turned", "quay đi", "întoarsă"),
}


class _Row(NamedTuple):
    picture: str
    emotion: str
    confidence: str
    face: str
    doubts: str


class FaceTable:
    """A table of all faces, drawn at the end."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._index = LANGUAGES.index(language)
        self._rows: list[_Row] = []
        self._left_out = 0

    def add(self, analysis: ImageAnalysis) -> None:
        """Keep the rows of one picture."""
        source = printable(analysis.source or "-")
        if not analysis.faces:
            self._keep(_Row(source, self._word("no face"), "", "", ""))
        for face in analysis.faces:
            self._keep(self._row(source, face))

    def finish(self) -> None:
        """Draw the table."""
        if not self._rows:
            return
        from rich.console import Console

        console = Console(file=sys.stdout)
        table = self._table()
        if console.width < max(_NARROW, console.measure(table).minimum):
            self._write_lines()
        else:
            console.print(table)
        if self._left_out:
            console.print(f"… and {self._left_out} more; --output FILE keeps them all", markup=False)

    def _row(self, source: str, face: Face) -> _Row:
        box = face.box
        emotion = printable(display_name(face.emotion, self._language))
        if face.emotion is None:
            emotion = f"{emotion} ({printable(display_name(face.top, self._language))}?)"
        place = f"{box.width}×{box.height} {self._word('at')} {box.x}, {box.y}"
        doubts = ", ".join(map(self._word, face.quality.reasons))
        return _Row(source, emotion, f"{face.confidence:.0%}", place, doubts)

    def _keep(self, row: _Row) -> None:
        if len(self._rows) < _MOST_ROWS:
            self._rows.append(row)
        else:
            self._left_out += 1

    def _word(self, word: str) -> str:
        return _WORDS[word][self._index] if word in _WORDS else word

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table()
        table.add_column(self._word("Picture"), overflow="fold", min_width=_LEAST_NAME)
        table.add_column(self._word("Emotion"), no_wrap=True)
        table.add_column(self._word("Confidence"), no_wrap=True, justify="right")
        table.add_column(self._word("Face"), no_wrap=True)
        is_doubtful = any(row.doubts for row in self._rows)
        if is_doubtful:
            table.add_column(self._word("Doubts"))
        previous = None
        for row in self._rows:
            cells = row[1:] if is_doubtful else row[1:-1]
            table.add_row(Text("" if row.picture == previous else row.picture), *map(Text, cells))
            previous = row.picture
        return table

    def _write_lines(self) -> None:
        previous = None
        for row in self._rows:
            if row.picture != previous:
                sys.stdout.write(f"{row.picture}\n")
            previous = row.picture
            sys.stdout.write(f"  {row.emotion} {row.confidence}".rstrip() + "\n")
            for detail in (row.face, row.doubts):
                sys.stdout.write(f"    {detail}\n" if detail else "")

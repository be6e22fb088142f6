"""The table of the persons in films: who was seen when, and what they showed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mien.cli._text import printable
from mien.core.emotions import LANGUAGES, display_name

if TYPE_CHECKING:
    from mien.core.film_results import FilmSummary, TrackSummary

_MOST_SHARES = 3
_LEAST_SHARE = 0.01

_WORDS: dict[str, tuple[str, ...]] = {
    "Film": ("Film", "Phim", "Film"),
    "Person": ("Person", "Người", "Persoană"),
    "Seen": ("Seen", "Xuất hiện", "Apare"),
    "Mostly": ("Mostly", "Chủ yếu", "Mai ales"),
    "Shares": ("Shares of the time", "Tỷ lệ thời gian", "Părți din timp"),
    "nobody": ("nobody", "không có ai", "nimeni"),
}


class PersonTable:
    """A row a person, film by film; drawn at the end."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._index = LANGUAGES.index(language)
        self._rows: list[tuple[str, str, str, str, str]] = []

    def add(self, film: FilmSummary) -> None:
        """Keep the rows of one film."""
        name = printable(film.head.source.name)
        if not film.persons:
            self._rows.append((name, self._word("nobody"), "", "", ""))
        for track in film.persons:
            self._rows.append((name, *self._row(track)))

    def finish(self) -> None:
        """Draw the table."""
        if not self._rows:
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table()
        for word in ("Film", "Person", "Seen", "Mostly", "Shares"):
            table.add_column(self._word(word), overflow="fold")
        previous = None
        for name, *cells in self._rows:
            table.add_row(Text("" if name == previous else name), *map(Text, cells))
            previous = name
        Console(file=sys.stdout).print(table)

    def _row(self, track: TrackSummary) -> tuple[str, str, str, str]:
        shares = sorted(track.shares.items(), key=lambda share: -share[1])[:_MOST_SHARES]
        named = [f"{self._name(label)} {share:.0%}" for label, share in shares if share >= _LEAST_SHARE]
        if track.uncertain >= _LEAST_SHARE:
            named.append(f"{self._name(None)} {track.uncertain:.0%}")
        seen = f"{clock(track.first.time_s)} – {clock(track.last.time_s)}, {track.presence_s:.1f} s"
        return f"#{track.track_id}", seen, self._name(track.dominant), ", ".join(named)

    def _name(self, emotion: str | None) -> str:
        return printable(display_name(emotion, self._language))

    def _word(self, word: str) -> str:
        return _WORDS[word][self._index]


def clock(seconds: float) -> str:
    """Return a time as people read it, such as 1:02:03.4 or 0:07.0."""
    minutes, rest = divmod(round(seconds * 10) / 10, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"

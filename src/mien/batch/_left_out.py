"""Which files of folders were passed over, for one line on each reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath

# What Mien and people keep beside photos, and nobody expects to be read as one.
_EXPECTED = frozenset(
    {".eaf", ".srt", ".svg", ".vtt", ".json", ".jsonl", ".csv", ".xlsx", ".parquet", ".ledger", ".txt"}
)
_MOST_KINDS = 5


@dataclass
class LeftOut:
    """Files in folders that `plan` passed over: absolute paths, each once.

    Attributes:
        drawn: pictures that Mien drew.
        others: files of kinds that Mien does not read.
    """

    drawn: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def notes(self) -> list[str]:
        """Return a line for each reason; files that nobody takes for photos are not named."""
        lines = []
        if self.drawn:
            lines.append(f"left out {_counted(len(self.drawn), 'picture')} that Mien drew")
        kinds = Counter(PurePath(path).suffix.lower() or "without suffix" for path in self.others)
        for expected in _EXPECTED:
            kinds.pop(expected, None)
        if kinds:
            ordered = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
            named = ", ".join(f"{suffix} {count}" for suffix, count in ordered[:_MOST_KINDS])
            more = ", …" if len(ordered) > _MOST_KINDS else ""
            lines.append(f"left out {_counted(kinds.total(), 'file')} of other kinds ({named}{more})")
        return lines


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

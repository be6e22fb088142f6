"""What a film came to, as a file: JSON, subtitles or an ELAN document."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from mien.core.errors import OptionError
from mien.core.files import atomic_write, shown
from mien.core.film_results import FilmSummary
from mien.records import elan, subtitles


def _json(summary: FilmSummary, path: Path, language: str) -> str:
    return json.dumps(summary.to_dict(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _srt(summary: FilmSummary, path: Path, language: str) -> str:
    return subtitles.srt(summary, language)


def _vtt(summary: FilmSummary, path: Path, language: str) -> str:
    return subtitles.vtt(summary, language)


def _eaf(summary: FilmSummary, path: Path, language: str) -> str:
    return elan.eaf(summary, language, folder=path.parent)


SUMMARY_FORMATS: Mapping[str, Callable[[FilmSummary, Path, str], str]] = {
    ".json": _json,
    ".srt": _srt,
    ".vtt": _vtt,
    ".eaf": _eaf,
}
"""What makes the text of each suffix."""


def write_summary(summary: FilmSummary, path: str | os.PathLike[str], *, language: str = "en") -> None:
    """Write what a film came to in the format of the suffix of `path`.

    Args:
        summary: of the film.
        path: ends in a suffix of SUMMARY_FORMATS.
        language: of the emotions in subtitles and ELAN documents; JSON has the labels as they are.

    Raises:
        OptionError: the suffix or the language is unknown.
        OutputError: the file cannot be written.
    """
    target = Path(path)
    maker = SUMMARY_FORMATS.get(target.suffix.lower())
    if maker is None:
        known = ", ".join(SUMMARY_FORMATS)
        raise OptionError(f"{shown(path)} has the unknown suffix {target.suffix!r}; choose one of {known}")
    atomic_write(target, maker(summary, target, language))


def read_summary(path: str | os.PathLike[str]) -> FilmSummary:
    """Return the summary that `write_summary` wrote as JSON.

    Raises:
        OptionError: the file is missing, damaged, or holds something else.
    """
    try:
        data = json.loads(Path(path).read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise OptionError(f"{shown(path)} cannot be read as a film's summary: {error}") from error
    return FilmSummary.from_dict(data)

"""A film's emotions as subtitles, SubRip (.srt) and WebVTT (.vtt): one line a person present."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mien.core.emotions import display_name
from mien.core.film_results import FilmSummary
from mien.records._cells import plain_text

# SubRip has no escapes: what players take for a tag or an arrow is written with its look-alike.
_SRT = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
_VTT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start_ms` until `end_ms`, in milliseconds: the text of each person present."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def cues(summary: FilmSummary, language: str = "en", *, zero_s: float = 0.0) -> Iterator[Cue]:
    """Yield what is shown when; a cue lasts for as long as its text stays the same.

    Args:
        summary: of the film; brief tracks are left out.
        language: of the emotions, "en", "vi" or "ro".
        zero_s: seconds of the film at which the times of the cues begin.
    """
    changes = sorted(
        change
        for track in summary.persons
        for segment in track.segments
        if _ms(segment.end_s - zero_s) > _ms(segment.start.time_s - zero_s)
        # At one moment what ends comes before what begins.
        for change in (
            (_ms(segment.start.time_s - zero_s), 1, track.track_id, display_name(segment.label, language)),
            (_ms(segment.end_s - zero_s), 0, track.track_id, ""),
        )
    )
    present: dict[int, str] = {}
    shown: tuple[str, ...] = ()
    since = 0
    for place, (time_ms, begins, track_id, name) in enumerate(changes):
        if begins:
            present[track_id] = name
        else:
            present.pop(track_id, None)
        if place + 1 < len(changes) and changes[place + 1][0] == time_ms:
            continue
        lines = tuple(f"#{number} {present[number]}" for number in sorted(present))
        if lines == shown:
            continue
        if shown:
            yield Cue(since, time_ms, shown)
        shown, since = lines, time_ms


def srt(summary: FilmSummary, language: str = "en", *, zero_s: float = 0.0) -> str:
    """Return the film's subtitles as SubRip, for a film that begins at `zero_s` of this one."""
    blocks = (
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_text(cue, _SRT)}\n"
        for number, cue in enumerate(cues(summary, language, zero_s=zero_s), start=1)
    )
    return "\n".join(blocks)


def vtt(summary: FilmSummary, language: str = "en", *, zero_s: float = 0.0) -> str:
    """Return the film's subtitles as WebVTT, for the `<track>` element of a page; `zero_s` as in `srt`."""
    blocks = (
        f"\n{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_text(cue, _VTT)}\n"
        for cue in cues(summary, language, zero_s=zero_s)
    )
    return "".join(["WEBVTT\n", *blocks])


def _text(cue: Cue, escapes: dict[int, str]) -> str:
    # An emotion is what a model's card calls it: a line end in it would end the cue.
    return "\n".join(plain_text(line).translate(escapes) for line in cue.lines)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _clock(time_ms: int, point: str) -> str:
    seconds, rest = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"

"""Every text of the windows in English, Vietnamese and Romanian: one table."""

from __future__ import annotations

from mien.core.emotions import LANGUAGES, display_name
from mien.core.film_results import Event, Segment
from mien.desktop._text_table import TEXTS

NAMES = {"en": "English", "vi": "Tiếng Việt", "ro": "Română"}


def text(key: str, language: str, **values: object) -> str:
    """Return the text `key` in `language` ("en", "vi" or "ro") with `values` in its places."""
    found = TEXTS[key][LANGUAGES.index(language)]
    return found.format(**values) if values else found


def emotion_text(emotion: str | None, top: str, language: str) -> str:
    """Return what a face is read as, in words; an uncertain one with its best guess."""
    if emotion is None:
        return f"{display_name(None, language)} ({display_name(top, language)}?)"
    return display_name(emotion, language)


def seconds_text(seconds: float, language: str) -> str:
    """Return a time in seconds to the hundredth, with the decimal sign of the language."""
    words = f"{seconds:.2f} s"
    return words if language == "en" else words.replace(".", ",")


def segment_text(track_id: int, segment: Segment, language: str) -> str:
    """Return who showed what from when to when, in words."""
    return text(
        "segment_words",
        language,
        person=track_id,
        emotion=display_name(segment.label, language),
        start=seconds_text(segment.start.time_s, language),
        end=seconds_text(segment.end_s, language),
        confidence=segment.confidence,
    )


def event_text(event: Event, language: str) -> str:
    """Return an event with its onset, apex and offset, in words."""
    return text(
        "event_words",
        language,
        person=event.track_id,
        emotion=display_name(event.label, language),
        onset=seconds_text(event.onset.time_s, language),
        apex=seconds_text(event.apex.time_s, language),
        offset=seconds_text(event.offset.time_s, language),
        score=event.score,
    )

"""Every text of the windows in English, Vietnamese and Romanian: one table."""

from __future__ import annotations

from mien.core.emotions import LANGUAGES, display_name
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

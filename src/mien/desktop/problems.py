"""What other rooms say, in the language of the window: errors and the notices of a camera."""

from __future__ import annotations

import re
from functools import cache

from mien.core.emotions import LANGUAGES
from mien.core.errors import (
    CameraError,
    ImageError,
    ImageLimitError,
    MienError,
    MissingExtraError,
    ModelError,
    OptionError,
    OutputError,
    VideoError,
    VideoLimitError,
)
from mien.desktop._sentence_table import SENTENCES
from mien.desktop.texts import text
from mien.live import Notice

# The most special first.
KINDS: dict[type[BaseException], str] = {
    ImageLimitError: "kind_limit",
    VideoLimitError: "kind_limit",
    CameraError: "kind_camera",
    ImageError: "kind_image",
    VideoError: "kind_film",
    ModelError: "kind_model",
    OutputError: "kind_output",
    MissingExtraError: "kind_extra",
    OptionError: "kind_option",
}


def problem_text(error: BaseException, language: str) -> str:
    """Return an error in `language`: its sentence where it is known, else its kind and the English words."""
    words = str(error)
    if language == LANGUAGES[0]:
        return words
    known = said_text(words, language)
    if known != words:
        return known
    kind = next((key for type_, key in KINDS.items() if isinstance(error, type_)), "kind_other")
    return f"{text(kind, language)}\n{words}"


def said_text(words: str, language: str) -> str:
    """Return a sentence of another room in `language`; as it is where the table does not have it."""
    if language == LANGUAGES[0]:
        return words
    for pattern, translations in _patterns():
        if (match := pattern.fullmatch(words)) is not None:
            return translations[LANGUAGES.index(language) - 1].format(**match.groupdict())
    return words


def notice_text(notice: Notice, language: str) -> str:
    """Return a notice of a camera in `language`; of a problem that is not in the table, that it is one."""
    if notice.is_problem:
        return problem_text(MienError(notice.text), language)
    return said_text(notice.text, language)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[str, str]], ...]:
    """Return every sentence as a pattern, those with the most words of their own first."""
    longest = sorted(SENTENCES, key=lambda sentence: -len(re.sub(r"\{\w+\}", "", sentence)))
    return tuple((_pattern(sentence), SENTENCES[sentence]) for sentence in longest)


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", sentence)
    named = (f"(?P<{part}>.*?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile("".join(named), re.DOTALL)

"""The emotions that Mien knows by name, their aliases and translations.

A model's label set comes from its card. This table only says what a label is called in other
spellings and languages; a label that is not in it is still a valid label and is shown as it is.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from mien.core.errors import OptionError


class Emotion(StrEnum):
    """The names Mien knows, in the default label order (contempt, which few data sets have, comes last)."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    NEUTRAL = "neutral"
    SAD = "sad"
    SURPRISE = "surprise"
    CONTEMPT = "contempt"

    def label(self, language: str = "en") -> str:
        """Return the name shown to a reader of `language` ("en", "vi" or "ro")."""
        return _NAMES[self][_language_index(language)]


LANGUAGES: tuple[str, ...] = ("en", "vi", "ro")

DEFAULT_LABELS: tuple[str, ...] = tuple(str(e) for e in Emotion if e is not Emotion.CONTEMPT)

_NAMES: dict[Emotion, tuple[str, str, str]] = {
    Emotion.ANGRY: ("angry", "Tức giận", "Furie"),
    Emotion.DISGUST: ("disgust", "Ghê tởm", "Dezgust"),
    Emotion.FEAR: ("fear", "Sợ hãi", "Frică"),
    Emotion.HAPPY: ("happy", "Vui vẻ", "Fericire"),
    Emotion.NEUTRAL: ("neutral", "Trung lập", "Neutru"),
    Emotion.SAD: ("sad", "Buồn bã", "Tristețe"),
    Emotion.SURPRISE: ("surprise", "Ngạc nhiên", "Surpriză"),
    Emotion.CONTEMPT: ("contempt", "Khinh thường", "Dispreț"),
}
_UNCERTAIN = ("uncertain", "Không chắc chắn", "Nesigur")

_ALIASES: dict[Emotion, tuple[str, ...]] = {
    Emotion.ANGRY: ("anger", "an", "mad"),
    Emotion.DISGUST: ("disgusted", "di"),
    Emotion.FEAR: ("fearful", "afraid", "scared", "fe"),
    Emotion.HAPPY: ("happiness", "joy", "smile", "ha"),
    Emotion.NEUTRAL: ("neutrality", "calm", "ne"),
    Emotion.SAD: ("sadness", "sa"),
    Emotion.SURPRISE: ("surprised", "su"),
    Emotion.CONTEMPT: ("contemptuous",),
}


def _language_index(language: str) -> int:
    try:
        return LANGUAGES.index(language)
    except ValueError:
        known = ", ".join(LANGUAGES)
        raise OptionError(f"unknown language {language!r}; choose one of {known}") from None


def _folded(word: str) -> str:
    """Lower case, without accents or surrounding blanks, so that Frica and Frică are one word."""
    decomposed = unicodedata.normalize("NFKD", word.strip().lower().replace("đ", "d"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


_BY_WORD: dict[str, Emotion] = {
    _folded(word): emotion
    for emotion in Emotion
    for word in (emotion.value, *_ALIASES[emotion], *_NAMES[emotion])
}


def parse_emotion(word: str) -> Emotion | None:
    """Return the known emotion that `word` names in any spelling or language, or None."""
    return _BY_WORD.get(_folded(word))


def display_name(label: str | None, language: str = "en") -> str:
    """Return what to show for `label`; None, no label being likely enough, reads "uncertain"."""
    index = _language_index(language)
    if label is None:
        return _UNCERTAIN[index]
    try:
        return Emotion(label).label(language)
    except ValueError:
        return label

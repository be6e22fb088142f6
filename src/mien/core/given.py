"""Arguments of Mien's Python functions: one of another kind is refused by its name, with what to give."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from mien.core.emotions import parse_emotion
from mien.core.errors import OptionError

_Kind = TypeVar("_Kind")


def given_path(name: str, value: Any, wanted: str) -> Path:
    """Return `value` as a path.

    Args:
        name: of the argument.
        value: that was given.
        wanted: what it has to be, in words, such as "the folder of a run".

    Raises:
        OptionError: it is no path, empty, or holds a NUL, which no path can.
    """
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise OptionError(f"{name} has to be {wanted}, not {_shown(value)}")
    return Path(text)


def given_kind(name: str, value: Any, kind: type[_Kind], wanted: str) -> _Kind:
    """Return `value` if it is of the kind; arguments and error are those of `given_path`."""
    if not isinstance(value, kind):
        raise OptionError(f"{name} has to be {wanted}, not {_shown(value)}")
    return value


def given_labels(value: Any) -> tuple[str, ...]:
    """Return labels, known emotions by their own names, one's own without blanks around them.

    Raises:
        OptionError: `value` is not several texts; one text is none.
    """
    several = isinstance(value, Iterable) and not isinstance(value, (str, bytes))
    labels = list(value) if several else []
    if not several or not all(isinstance(label, str) for label in labels):
        raise OptionError(
            f"labels have to be names, such as ['happy', 'sad'] or data.labels, not {_shown(value)}"
        )
    return tuple(str(parse_emotion(label) or label.strip()) for label in labels)


def _shown(value: Any) -> str:
    """A value in a few words: that of a large or odd one would hide the message."""
    text = repr(value) if isinstance(value, (str, int, float, bytes, list, tuple, type(None))) else ""
    return text if text and len(text) <= 100 else f"a value of the type {type(value).__name__}"

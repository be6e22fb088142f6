"""JSON that survives any file name and any reader of lines."""

from __future__ import annotations

import json
import re
from typing import Any

from mien.core.errors import OutputError

# Valid in JSON text, but a lone surrogate is not UTF-8, and other programs end a line at the rest.
_UNSAFE = re.compile("[\ud800-\udfff\x85\u2028\u2029]")


def dumps(data: dict[str, Any]) -> str:
    """Return `data` as one line of JSON; text is readable where it can be, escaped where it has to be.

    Raises:
        OutputError: a number is NaN or infinite, or a value is of a type that JSON does not have.
    """
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, default=_plain)
    except (ValueError, TypeError) as error:
        raise OutputError(f"the result of {data.get('source')!r} is not valid JSON: {error}") from error
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _plain(value: Any) -> Any:
    """Return NumPy's numbers as Python's."""
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"{type(value).__name__} has no place in JSON")
    return item()

"""What goes into one cell: text that a table can hold, and that a spreadsheet does not run."""

from __future__ import annotations

import re
from typing import Any

from mien.core.errors import OutputError
from mien.core.files import valid_text
from mien.records.schema import Column

# Spreadsheets take a cell that begins with one of these for a formula; some also their wide forms.
# See OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# C0 and C1 control characters and Unicode's line ends: each would break a row or be refused by Excel.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Excel's XML cannot hold these two.
_NONCHARACTER = re.compile("[\ufffe\uffff]")


def plain_text(text: str) -> str:
    r"""Return `text` for a spreadsheet: one line, no control characters (`\n` in their place), no formula."""
    safe = _CONTROL.sub(lambda match: repr(match[0])[1:-1], valid_text(text))
    safe = _NONCHARACTER.sub(lambda match: f"\\u{ord(match[0]):04x}", safe)
    return f"'{safe}" if text.startswith(_FORMULA) else safe


def value(column: Column, content: Any) -> str | int | float | None:
    """Return `content` as the plain type of `column`; NumPy's numbers become Python's."""
    if content is None:
        return None
    try:
        if column.kind == "integer":
            return int(content)
        return float(content) if column.kind == "number" else str(content)
    except (TypeError, ValueError, OverflowError) as error:
        raise OutputError(f"column {column.name} holds a {column.kind}, not {content!r}") from error

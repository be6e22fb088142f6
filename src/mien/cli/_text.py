"""Text that is safe to print: names can hold line breaks, terminal codes and bytes that are no text."""

from __future__ import annotations

import sys

from mien.core.files import valid_text


def printable(text: str) -> str:
    r"""Return `text` on one line, with what has no look of its own as an escape (\n, \xff)."""
    return "".join(c if c.isprintable() else _escaped(c) for c in valid_text(text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def complain(message: object) -> None:
    """Print one line for a person on standard error."""
    print(f"mien: {printable(str(message))}", file=sys.stderr)

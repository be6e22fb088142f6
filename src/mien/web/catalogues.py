"""Translations: every room's `locale/LANGUAGE.po`, joined and compiled for gettext when Mien starts.

Compiled catalogues are not shipped and nobody needs gettext's tools: the few hundred texts are read in
milliseconds, and kept beside the database until a text changes.
"""

from __future__ import annotations

import ast
import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mien.core.errors import OptionError
from mien.core.files import atomic_write, ensure_folder, shown

LANGUAGES = ("vi", "ro")
_PLURALS = {
    "vi": "nplurals=1; plural=0;",
    "ro": "nplurals=3; plural=(n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2);",
}
PLURAL_FORMS = {"vi": 1, "ro": 3}
_KEYWORD = re.compile(r"(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d)\])?\s+(?=\")")


@dataclass(slots=True)
class Entry:
    """One text: its context, what the program says, and what readers of the language see."""

    msgctxt: str | None = None
    msgid: str = ""
    msgid_plural: str | None = None
    msgstr: dict[int, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str | None, str, str | None]:
        """What identifies the text in the program."""
        return self.msgctxt, self.msgid, self.msgid_plural


def sources(place: Path, language: str) -> list[Path]:
    """Return the files with texts of `language` under `place`, sorted."""
    return sorted(place.rglob(f"locale/{language}.po"))


def entries(path: Path) -> Iterator[Entry]:
    """Yield every text of a .po file.

    Raises:
        OptionError: a line is not of that format.
    """
    entry, current = Entry(), ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            if entry.msgstr:
                yield entry
                entry = Entry()
            continue
        keyword = _KEYWORD.match(stripped)
        if keyword:
            if keyword[1] in ("msgid", "msgctxt") and entry.msgstr:
                yield entry
                entry = Entry()
            current = keyword[1] if keyword[1] != "msgstr" else f"msgstr{keyword[2] or 0}"
            stripped = stripped[keyword.end() :]
        try:
            _extend(entry, current, ast.literal_eval(stripped))
        except (ValueError, SyntaxError, TypeError) as error:
            raise OptionError(f"{shown(path)}, line {number}: {line!r} is no line of a .po file") from error
    if entry.msgstr:
        yield entry


def compiled(place: Path, folder: Path) -> Path:
    """Return a folder for Django's LOCALE_PATHS with the texts of every room under `place`.

    It is made in `folder` when it is not there, under a name that says what it was made of.
    """
    files = {language: sources(place, language) for language in LANGUAGES}
    digest = hashlib.sha256(b"".join(path.read_bytes() for paths in files.values() for path in paths))
    target = folder / digest.hexdigest()[:16]
    for language, paths in files.items():
        catalogue = target / language / "LC_MESSAGES" / "django.mo"
        if not catalogue.is_file():
            ensure_folder(catalogue.parent)
            atomic_write(catalogue, binary([e for path in paths for e in entries(path)], language))
    return target


def binary(texts: list[Entry], language: str) -> bytes:
    """Return the texts as gettext's binary catalogue (the GNU .mo format, little-endian)."""
    header = f"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: {_PLURALS[language]}\n"
    messages = {b"": header.encode()}
    for entry in texts:
        if entry.msgid and all(entry.msgstr.values()):
            messages[_key(entry)] = "\0".join(entry.msgstr[n] for n in sorted(entry.msgstr)).encode()
    keys = sorted(messages)
    ids, strings = b"", b""
    index: list[tuple[int, int, int, int]] = []
    for key in keys:
        index.append((len(key), len(ids), len(messages[key]), len(strings)))
        ids += key + b"\0"
        strings += messages[key] + b"\0"
    tables = 7 * 4
    first = tables + 16 * len(keys)
    originals = [number for n, at, _, _ in index for number in (n, first + at)]
    translations = [number for _, _, n, at in index for number in (n, first + len(ids) + at)]
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), tables, tables + 8 * len(keys), 0, 0)
    return head + struct.pack(f"<{4 * len(keys)}I", *originals, *translations) + ids + strings


def _key(entry: Entry) -> bytes:
    key = entry.msgid if entry.msgid_plural is None else f"{entry.msgid}\0{entry.msgid_plural}"
    return (key if entry.msgctxt is None else f"{entry.msgctxt}\x04{key}").encode()


def _extend(entry: Entry, current: str, text: str) -> None:
    if current.startswith("msgstr"):
        number = int(current[6:])
        entry.msgstr[number] = entry.msgstr.get(number, "") + text
    else:
        setattr(entry, current, (getattr(entry, current) or "") + text)

"""The texts of the accounts' package that people see are in every language, in pages and in mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import allauth
import pytest
from django.utils import translation
from web_texts import Key, of_module, of_template

PACKAGE = Path(allauth.__file__).parent
MODULES = (
    "account/adapter.py",
    "account/fields.py",
    "account/forms.py",
    "mfa/adapter.py",
    "mfa/totp/forms.py",
)
# What Mien has turned off, or has own words for.
NOT_SHOWN = ("webauthn", "phone", "code", "base_message", "logged_in", "logged_out")
NOT_SAID = (
    "phone",
    "security key",
    "Master key",
    "Backup key",
    "Key nr.",
    "(optional)",
    "Email (again)",
    "Email address confirmation",
    "same email each time",
)


def texts() -> Iterator[Key]:
    for name in MODULES:
        yield from of_module((PACKAGE / name).read_text(encoding="utf-8"))
    for kind in ("account/email", "account/messages", "mfa/email", "mfa/messages"):
        for path in sorted((PACKAGE / "templates" / kind).glob("*.txt")):
            if not any(word in path.name for word in NOT_SHOWN):
                yield from of_template(path.read_text(encoding="utf-8"))


SAME = {"ro": ("Email",), "vi": ()}

SHOWN = sorted({key for key in texts() if not any(word in key[1] for word in NOT_SAID)}, key=str)


@pytest.mark.parametrize("language", ["vi", "ro"])
def test_the_packages_texts_are_translated(language: str) -> None:
    with translation.override(language):
        missing = [
            text
            for context, text, _plural in SHOWN
            if (translation.pgettext(context, text) if context else translation.gettext(text)) == text
            and text not in SAME[language]
        ]
    assert not missing, "\n".join(map(repr, missing))


def test_enough_texts_were_found() -> None:
    assert len(SHOWN) > 60

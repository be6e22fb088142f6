"""The texts: complete, with the same places for values, and each menu letter once a menu."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")

from mien.core.emotions import LANGUAGES
from mien.desktop._text_table import TEXTS
from mien.desktop.actions import ACTIONS, MENUS
from mien.desktop.texts import text


@pytest.mark.parametrize("key", TEXTS)
def test_every_language_has_it_with_the_same_values(key: str) -> None:
    places = [sorted(re.findall(r"\{(\w+)", words)) for words in TEXTS[key]]
    assert len(TEXTS[key]) == len(LANGUAGES)
    assert places[0] == places[1] == places[2]
    assert all(words.strip() for words in TEXTS[key])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("menu", ["", *MENUS])
def test_a_letter_reaches_one_thing(menu: str, language: str) -> None:
    names = [action.name for action in ACTIONS if action.menu == menu and action.name] if menu else MENUS
    letters = [text(name, language).partition("&")[2][:1].lower() for name in names]
    assert "" not in letters
    assert len(set(letters)) == len(letters), letters


def test_no_two_actions_have_the_same_keys() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(set(keys)) == len(keys)

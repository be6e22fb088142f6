"""Every text has its translation into each language, with the same places for values in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation
from web_texts import TEMPLATES, WEB, keys, of_module, of_template, untranslated

from mien.core.emotions import LANGUAGES as KNOWN
from mien.web import catalogues

PLACES = re.compile(r"%\(\w+\)[a-z]|%[sd]|{\w*}")


@pytest.fixture(scope="module")
def wanted() -> dict:
    return keys()


def translated(language: str) -> dict:
    return {e.key: e.msgstr for path in catalogues.sources(WEB, language) for e in catalogues.entries(path)}


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_no_text_is_missing(language: str, wanted: dict) -> None:
    there = translated(language)
    missing = [
        f"{place}: {key[1]!r}" for key, place in wanted.items() if not any(there.get(key, {}).values())
    ]
    assert not missing, (
        f"{language}.po lacks {len(missing)}; python tests/web/web_texts.py {language} prints them:\n"
        + "\n".join(missing)
    )


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_every_translation_is_whole(language: str, wanted: dict) -> None:
    for key, texts in translated(language).items():
        _context, text, plural = key
        forms = catalogues.PLURAL_FORMS[language] if plural else 1
        assert sorted(texts) == list(range(forms)), f"{language}: {text!r} has not {forms} forms"
        for one in texts.values():
            assert set(PLACES.findall(one)) <= set(PLACES.findall(text + (plural or ""))), (
                language,
                text,
                one,
            )
            if not plural:
                assert sorted(PLACES.findall(one)) == sorted(PLACES.findall(text)), (language, text, one)


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_no_room_translates_a_text_twice(language: str) -> None:
    seen: dict = {}
    for path in catalogues.sources(WEB, language):
        for entry in catalogues.entries(path):
            before = seen.setdefault(entry.key, (path, entry.msgstr))
            assert before[1] == entry.msgstr, f"{entry.msgid!r} differs in {path} and {before[0]}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_nothing_in_a_template_is_in_one_language_only(path: Path) -> None:
    assert not untranslated(path.read_text(encoding="utf-8"))


def test_what_is_not_translated_is_seen() -> None:
    assert untranslated('<p>{% translate "in" %} Hello</p><img alt="A face">') == ["Hello", "face"]


def test_texts_are_found_everywhere() -> None:
    assert list(of_module("x = _('a'); ngettext('b', 'c', n); pgettext('d', 'e')")) == [
        (None, "a", None),
        (None, "b", "c"),
        ("d", "e", None),
    ]
    template = (
        '{% load i18n %}{% translate "a (b)" %}{% blocktranslate count n=2 %}one{% plural %}{{ n }} of them'
        "{% endblocktranslate %}{% blocktranslate %}It's {{ x }}{% endblocktranslate %}"
    )
    assert [(text, plural) for _, text, plural in of_template(template)] == [
        ("a (b)", None),
        ("one", "%(n)s of them"),
        ("It's %(x)s", None),
    ]


def test_the_languages_are_those_of_the_library() -> None:
    from django.conf import settings

    assert tuple(code for code, _ in settings.LANGUAGES) == KNOWN == ("en", *catalogues.LANGUAGES)


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_django_reads_the_catalogue(language: str) -> None:
    with translation.override(language):
        assert translation.gettext("Log out") == translated(language)[(None, "Log out", None)][0] != "Log out"


def test_plurals_are_chosen_by_the_language(tmp_path: Path) -> None:
    import gettext
    import io

    text = 'msgid "one photo"\nmsgid_plural "%(n)s photos"\nmsgstr[0] "o poză"\nmsgstr[1] "%(n)s poze"\n'
    (tmp_path / "ro.po").write_text(text + 'msgstr[2] "%(n)s de poze"\n', encoding="utf-8")
    texts = list(catalogues.entries(tmp_path / "ro.po"))
    read = gettext.GNUTranslations(io.BytesIO(catalogues.binary(texts, "ro")))
    assert [read.ngettext("one photo", "%(n)s photos", n)[-9:] for n in (1, 2, 0, 19, 20, 101, 119, 120)] == [
        form[-9:]
        for form in ("o poză", *["%(n)s poze"] * 3, "%(n)s de poze", *["%(n)s poze"] * 2, "%(n)s de poze")
    ]

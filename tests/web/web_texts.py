"""The texts of the product, found in its templates and modules without gettext's tools."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from web_support import SAMPLES

WEB = SAMPLES.parent / "web"
TEMPLATES = sorted(path for path in WEB.rglob("templates/**/*.*") if path.suffix in (".html", ".txt"))
MODULES = sorted(path for path in WEB.rglob("*.py") if "migrations" not in path.parts)
_CALLS = {
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "_",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
}
_CALLS |= {"npgettext", "npgettext_lazy"}
_SHOWN = ("alt", "title", "placeholder", "aria-label", "data-confirm")

Key = tuple[str | None, str, str | None]  # context, text, its plural


def of_module(source: str) -> Iterator[Key]:
    """Texts of a Python module: constant arguments of gettext's functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _CALLS:
                texts = [
                    arg.value
                    for arg in node.args
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                ]
                context = texts.pop(0) if name.startswith(("pgettext", "npgettext")) else None
                plural = texts[1] if name.startswith(("ngettext", "npgettext")) else None
                yield context, texts[0], plural


def of_template(source: str) -> Iterator[Key]:
    """Texts of a template, as Django itself writes them out for xgettext."""
    from django.utils.translation.template import templatize

    written = templatize(source)
    for call in re.finditer(r"\b(gettext|_|ngettext|pgettext|npgettext)\(", written):
        yield from of_module(_call_at(written, call.start()))


def _call_at(written: str, start: int) -> str:
    """The whole call that begins at `start`; names of variables in it become harmless ones."""
    for end in (match.end() for match in re.finditer(r"\)", written[start:])):
        text = written[start : start + end]
        text = re.sub(r",\s*count\s*\)$", ", 1)", text)
        try:
            ast.parse(text)
        except SyntaxError:
            continue
        return text
    raise AssertionError(f"no call in {written[start : start + 80]!r}")


class _Untranslated(HTMLParser):
    """Collects what a reader would see that is in no tag of translation."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        self.found += [value for name, value in attrs if name in _SHOWN and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(data)


def untranslated(source: str) -> list[str]:
    """Words of a template that no reader of another language would understand."""
    source = re.sub(r"{%\s*block \w+_class\s*%}.*?{%\s*endblock", "{% x", source, flags=re.DOTALL)
    source = re.sub(r"{%\s*comment.*?endcomment\s*%}", "", source, flags=re.DOTALL)
    source = re.sub(r"{%\s*blocktrans(late)?.*?endblocktrans(late)?\s*%}", "", source, flags=re.DOTALL)
    source = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", source, flags=re.DOTALL)
    reader = _Untranslated()
    reader.feed(source)
    words = [word for text in reader.found for word in re.findall(r"[^\W\d_]{2,}", text)]
    return [word for word in words if word not in ("Mien", "CSV", "JSON", "Excel", "ZIP", "REST", "API")]


def keys() -> dict[Key, str]:
    """Every text of the product, and where it stands."""
    found: dict[Key, str] = {}
    for path in [*TEMPLATES, *MODULES]:
        source = path.read_text(encoding="utf-8")
        for key in of_template(source) if path in TEMPLATES else of_module(source):
            found.setdefault(key, str(path.relative_to(WEB)))
    return found


def skeleton(language: str) -> str:
    """What is still to be translated, in the form of a .po file."""
    from mien.web import catalogues

    known = {e.key for path in catalogues.sources(WEB, language) for e in catalogues.entries(path)}
    lines = []
    for (context, text, plural), place in keys().items():
        if (context, text, plural) in known:
            continue
        lines.append(f"#: {place}")
        lines += [f"msgctxt {_quoted(context)}"] if context else []
        lines.append(f"msgid {_quoted(text)}")
        if plural:
            lines.append(f"msgid_plural {_quoted(plural)}")
            lines += [f'msgstr[{n}] ""' for n in range(catalogues.PLURAL_FORMS[language])]
        else:
            lines.append('msgstr ""')
        lines.append("")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


if __name__ == "__main__":
    import sys

    print(skeleton(sys.argv[1]))

"""The documentation is true: its examples run, its tables come from the code, its links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
from docs_support import (
    BLOCK,
    PAGES,
    REPOSITORY,
    RUN,
    STORIES,
    Example,
    examples,
    lay_desk,
    names,
    page_name,
    run_example,
)

import mien
from mien.core.options import AnalysisOptions
from mien.zoo.card import Card

LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("example", [e for e in RUN if e.page not in STORIES], ids=names)
def test_the_example_runs(example: Example, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    lay_desk(tmp_path)
    run_example(example, tmp_path, tmp_path_factory.mktemp("data"))


def test_the_examples_are_found() -> None:
    assert {example.page for example in RUN} >= {"README.md", "docs/guide.md", "docs/library.md", *STORIES}
    assert all(example.text.startswith(("$ ", "> ")) for example in examples() if example.kind == "console")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", REPOSITORY / "docs" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_its_tables_are_those_of_the_code(page: Path, tables: ModuleType) -> None:
    text = page.read_text(encoding="utf-8")
    assert tables.filled(text) == text, "run: .venv/bin/python docs/tables.py"


def table_rows(page: str, name: str) -> set[str]:
    """The first cells, between backticks, of the table called `name`."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    table = text.split(f"<!-- table: {name} -->", 1)[1].split("<!-- end of table -->", 1)[0]
    return set(re.findall(r"^\| `([^`]+)`", table, re.MULTILINE))


def test_every_option_is_in_the_guide() -> None:
    options = {option.name for option in fields(AnalysisOptions)}
    assert table_rows("docs/guide.md", "options") == options == table_rows("README.md", "options")


def test_every_public_name_is_documented_and_resolves() -> None:
    assert table_rows("docs/library.md", "names") == {f"mien.{name}" for name in mien.__all__}
    for name in mien.__all__:
        thing = getattr(mien, name)
        assert name == "__version__" or thing.__doc__, f"mien.{name} says nothing about itself"
    assert set(mien.__all__) <= set(dir(mien))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        mien.no_such_name  # noqa: B018  (reading it is the test)


def test_the_card_in_the_architecture_is_one() -> None:
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    cards = [Card.from_json(match["text"]) for match in BLOCK.finditer(text) if match["kind"] == "json"]
    assert [card.name for card in cards] == ["own"]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_its_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), f"{page.name} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors(linked), f"{page.name} links to {target}#{anchor}, which is not there"


def test_make_help_explains_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: help (.+)$", makefile, re.MULTILINE)
    assert targets is not None
    for target in targets[1].split():
        assert re.search(rf'^\t@echo "make {target} ', makefile, re.MULTILINE), (
            f"make help leaves out {target}"
        )

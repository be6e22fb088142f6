"""The documentation is true: its examples run, its tables come from the code, its links lead somewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import mien
from mien.core.options import AnalysisOptions
from mien.zoo.card import Card

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY / "src" / "mien" / "samples"
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
BLOCK = re.compile(r"(?:<!-- not run: (?P<why>.+?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


class Example(NamedTuple):
    """One block of a page: where it begins, what it is, and why it is not run, if it is not."""

    page: str
    line: int
    kind: str
    text: str
    why_not: str | None

    @property
    def command(self) -> list[str]:
        if self.kind == "python":
            return [sys.executable, "-c", self.text]
        lines = [line.removeprefix("$ ") for line in self.text.splitlines()]
        return ["bash", "-euo", "pipefail", "-c", "\n".join(lines)]


def examples() -> Iterator[Example]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            if match["kind"] in ("console", "python"):
                line = text.count("\n", 0, match.start("kind")) + 1
                name = page_name(page)
                yield Example(name, line, match["kind"], match["text"], match["why"])


def page_name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def names(example: Example) -> str:
    return f"{example.page}:{example.line}"


RUN = [example for example in examples() if not example.why_not]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the examples name: photo.jpg, and a folder photos."""
    (tmp_path / "photos").mkdir()
    for sample in SAMPLES.glob("*.jpg"):
        shutil.copy(sample, tmp_path / "photos")
    shutil.copy(SAMPLES / "eileen-collins.jpg", tmp_path / "photo.jpg")
    return tmp_path


@pytest.mark.parametrize("example", RUN, ids=names)
def test_the_example_runs(example: Example, desk: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    if example.kind == "console" and shutil.which("bash") is None:
        pytest.skip("needs bash")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MIEN_DATA": str(tmp_path_factory.mktemp("data")),
    }
    environment.pop("MODEL_PATH", None)
    done = subprocess.run(example.command, cwd=desk, env=environment, capture_output=True, text=True)
    absent = re.search(r"(\w+) is not installed; install it with", done.stderr)
    if absent and importlib.util.find_spec(absent[1]) is None:
        pytest.skip(f"needs {absent[1]}, of an extra")
    assert done.returncode == 0, f"{names(example)}\n{example.text}\n{done.stdout}\n{done.stderr}"


def test_the_examples_are_found() -> None:
    assert {example.page for example in RUN} >= {"README.md", "docs/guide.md", "docs/library.md"}
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

"""The examples of the documentation: found on their pages, and run as a reader would."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from film_support import face_film

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = REPOSITORY / "src" / "mien" / "samples"
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
BLOCK = re.compile(r"(?:<!-- not run: (?P<why>.+?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
# Pages whose examples go on from each other.
STORIES = ("docs/tutorial.md",)


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


def lay_desk(desk: Path) -> None:
    """Put down what the examples name: photo.jpg, film.mp4, and a folder photos."""
    (desk / "photos").mkdir()
    for sample in SAMPLES.glob("*.jpg"):
        shutil.copy(sample, desk / "photos")
    shutil.copy(SAMPLES / "eileen-collins.jpg", desk / "photo.jpg")
    face_film(desk / "film.mp4")


def run_example(example: Example, desk: Path, data: Path) -> None:
    if example.kind == "console" and shutil.which("bash") is None:
        pytest.skip("needs bash")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MIEN_DATA": str(data),
    }
    environment.pop("MODEL_PATH", None)
    done = subprocess.run(example.command, cwd=desk, env=environment, capture_output=True, text=True)
    absent = re.search(r"(\w+) is not installed; install it with", done.stderr)
    if absent and importlib.util.find_spec(absent[1]) is None:
        pytest.skip(f"needs {absent[1]}, of an extra")
    assert done.returncode == 0, f"{names(example)}\n{example.text}\n{done.stdout}\n{done.stderr}"


RUN = [example for example in examples() if not example.why_not]

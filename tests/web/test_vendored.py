"""The front end's libraries are those of their packages, with their licences; nothing else is beside them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from web_support import SAMPLES

STATIC = SAMPLES.parent / "web" / "static"
VENDOR = STATIC / "vendor"
LISTED = json.loads((VENDOR / "vendored.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_it_is_what_was_fetched(entry: dict[str, str]) -> None:
    assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


def test_nothing_else_is_there_and_every_package_says_its_licence() -> None:
    assert {path.name for path in VENDOR.iterdir()} == {e["file"] for e in LISTED} | {"vendored.json"}
    for package in {entry["package"] for entry in LISTED}:
        files = [entry["file"] for entry in LISTED if entry["package"] == package]
        assert any("LICENSE" in name or name.endswith("package.json") for name in files), package


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_no_style_sheet_loads_from_elsewhere(path: Path) -> None:
    for address in re.findall(r"url\(['\"]?([^'\")]+)", path.read_text(encoding="utf-8")):
        assert address.startswith("data:"), address


def test_the_colours_of_emotions_are_those_of_the_library() -> None:
    from mien.core.colours import COLOURS, UNCERTAIN

    sheet = (STATIC / "mien" / "mien.css").read_text(encoding="utf-8")
    stated = dict(re.findall(r"--emotion-(\w+): #(\w{6})", sheet))
    assert stated == {
        str(label): "{:02x}{:02x}{:02x}".format(*colour)
        for label, colour in {**COLOURS, "uncertain": UNCERTAIN}.items()
    }

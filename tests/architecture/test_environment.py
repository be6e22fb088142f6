"""The conda environment installs what pyproject.toml names, in the versions of constraints.txt."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="needs PyYAML, which pre-commit brings")

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_conda_environment_is_that_of_the_project() -> None:
    made = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert made["name"] == project["name"]
    packages = [line for line in made["dependencies"] if isinstance(line, str)]
    [lines] = [line["pip"] for line in made["dependencies"] if isinstance(line, dict)]
    assert packages == [project["requires-python"].replace(">=", "python="), "pip"]

    constraints, package = lines
    assert (REPOSITORY / constraints.removeprefix("-c ")).is_file()
    extras = re.fullmatch(r"-e \.\[([a-z,]+)\]", package)
    assert extras is not None
    named = set(extras[1].split(","))
    assert {"train", "report", "records"} <= named <= set(project["optional-dependencies"])

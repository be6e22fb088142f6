"""The tutorial, from top to bottom: from a person's photos to that person's model."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_support import RUN, STORIES, lay_desk, run_example


@pytest.mark.timeout(1200)  # a minute, on a machine with nothing else to do
@pytest.mark.parametrize("page", STORIES)
def test_its_commands_go_on_from_each_other(
    page: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lay_desk(tmp_path)
    data = tmp_path_factory.mktemp("data")
    steps = [example for example in RUN if example.page == page]
    assert len([step for step in steps if step.kind == "console"]) == 10
    for step in steps:
        run_example(step, tmp_path, data)
    assert (tmp_path / "faces.csv").is_file()

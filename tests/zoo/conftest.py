"""A packaged folder and a data folder of their own, and a web server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from zoo_support import Places, Server


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    folders = Places(tmp_path / "packaged", tmp_path / "data")
    folders.packaged.mkdir()
    monkeypatch.setattr("mien.zoo._entries.PACKAGED", folders.packaged)
    monkeypatch.setenv("MIEN_DATA", str(folders.data))
    monkeypatch.delenv("MODEL_PATH", raising=False)
    return folders


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()

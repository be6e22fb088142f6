"""The key of the sessions: made once whoever asks first, for its owner only, and never guessed."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from mien.core.errors import OptionError, OutputError
from mien.web.secret_key import secret_key


def test_it_is_made_once_and_is_private(tmp_path: Path) -> None:
    key = secret_key(tmp_path / "web")
    assert len(key) > 80
    assert secret_key(tmp_path / "web") == key != secret_key(tmp_path / "other")
    assert stat.S_IMODE((tmp_path / "web" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "web").iterdir()] == ["secret_key"]


def test_several_processes_get_the_same(tmp_path: Path) -> None:
    start, keys = threading.Barrier(8), []

    def ask() -> None:
        start.wait()
        keys.append(secret_key(tmp_path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys) == 8


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 60])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret_key").write_bytes(content)
    with pytest.raises(OptionError, match="secret_key"):
        secret_key(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        secret_key(tmp_path / "file" / "web")

"""`mien desktop` from the command line: what is found out before a window opens."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")


@pytest.fixture(autouse=True)
def _screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")


def test_a_model_that_cannot_be_used_ends_it_before_the_window(
    mien, place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = mien("desktop", "--model", "wrong.onnx")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "'wrong.onnx' does not exist" in ended.err

    (place / "broken.onnx").write_bytes(b"no network")
    ended = mien("desktop", "--model", "broken.onnx")
    assert ended.code == 3
    assert "broken.onnx" in ended.err

    monkeypatch.setenv("MODEL_PATH", "other.onnx")
    ended = mien("desktop")
    assert ended.code == 2
    assert "MODEL_PATH points to it" in ended.err


def test_a_detector_file_that_is_damaged_ends_it_too(mien) -> None:
    from mien.zoo.store import asset_file

    asset_file("yunet").parent.mkdir(parents=True)
    asset_file("yunet").write_bytes(b"half a file")
    ended = mien("desktop")
    assert ended.code == 3
    assert "yunet" in ended.err

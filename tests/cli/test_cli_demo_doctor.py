from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from cli_support import SAMPLES

from mien import records
from mien.cli import _checks
from mien.core import images
from mien.desktop import _display


def test_demo_prints_writes_and_says_where(mien, place: Path) -> None:
    ended = mien("demo")
    assert ended.code == 0, ended.err
    photos = sorted(path.name for path in SAMPLES.glob("*.jpg"))
    assert sorted(path.name for path in (place / "demo-output").iterdir()) == sorted(
        [*photos, "results.json"]
    )
    for photo in photos:
        assert photo in ended.out
        assert f"demo-output/{photo}" in ended.out
        assert images.load(place / "demo-output" / photo).shape == images.load(SAMPLES / photo).shape
    analyses = records.read_all(place / "demo-output" / "results.json")
    assert [analysis.source for analysis in analyses] == photos
    assert sum(len(analysis.faces) for analysis in analyses) == 2
    assert "no face" in ended.out
    assert "not an inner state" in ended.out


def test_demo_can_be_repeated_elsewhere_and_in_another_language(mien, place: Path) -> None:
    for _ in range(2):
        ended = mien("demo", "--output", "deep/er", "--language", "ro")
        assert ended.code == 0
        assert len(list((place / "deep" / "er").iterdir())) == len(list(SAMPLES.glob("*.jpg"))) + 1
    assert "Neutru" in ended.out


def test_demo_with_nowhere_to_write_is_three(mien, place: Path) -> None:
    (place / "demo-output").touch()
    assert mien("demo").code == 3


def test_doctor_lists_what_is_there_and_tests_itself(mien, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = mien("doctor")
    for expected in ("Python 3.", "mien ", "onnxruntime ", "detector haar", "processors", "self-test: "):
        assert expected in ended.out
    assert "mien models pull yunet" in ended.out
    assert (ended.code == 1) == ("  problem" in ended.out)


def test_doctor_finds_a_broken_model_and_goes_on(mien, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    for suffix in (".onnx", ".json"):
        shutil.copy((tmp_path / "models" / "tiny").with_suffix(suffix), folder)
    with (folder / "tiny.onnx").open("ab") as file:
        file.write(b"more")
    ended = mien("doctor")
    assert ended.code == 1
    assert "problem tiny: " in ended.out
    assert "mien models add" in ended.out
    assert "Self-test" in ended.out


def test_doctor_finds_a_broken_detector_file(mien, tmp_path: Path) -> None:
    from mien.zoo.store import asset_file

    asset_file("yunet").parent.mkdir(parents=True)
    asset_file("yunet").write_bytes(b"half a file")
    ended = mien("doctor")
    assert ended.code == 1
    assert "problem yunet: " in ended.out


def test_doctor_tells_a_camera_that_gives_nothing(mien) -> None:
    ended = mien("doctor", "--camera", 63)
    assert ended.code == 1
    assert "camera 63 gives no picture" in ended.out


def test_a_check_that_breaks_is_a_finding(mien, monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.cli import doctor

    def broken():
        raise RuntimeError("out of order")
        yield

    monkeypatch.setitem(doctor._SECTIONS, "Python", broken)
    ended = mien("doctor")
    assert ended.code == 1
    assert "problem RuntimeError: out of order" in ended.out
    assert "Self-test" in ended.out


def test_a_package_that_does_not_load_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_checks._MODULES, "numpy", "numpy_that_is_not_there")
    (finding,) = [finding for finding in _checks.libraries() if finding.state == "problem"]
    assert "numpy does not load" in finding.text
    assert "install Mien again" in finding.advice


def test_doctor_says_why_no_window_can_be_opened(mien, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PySide6", reason="needs the extra desktop")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert "note    no window: there is no display" in mien("doctor").out
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert "ok      a window can be opened (offscreen)" in mien("doctor").out
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-thing")
    (finding,) = [finding for finding in _checks.window() if finding.state == "problem"]
    assert "no-such-thing" in finding.text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bring what Qt needs")
def test_a_library_that_qt_needs_is_named_with_its_package(mien, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PySide6", reason="needs the extra desktop")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setitem(_display._X11_LIBRARIES, "libxcb-gone.so.9", "libxcb-gone9")
    (finding,) = [finding for finding in _checks.window() if finding.state == "problem"]
    assert "libxcb-gone.so.9" in finding.text
    assert finding.advice.startswith("on Debian and Ubuntu: sudo apt install ")
    assert "libxcb-gone9" in finding.advice
    ended = mien("desktop")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "libxcb-gone9, or use mien analyze" in ended.err
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert not [finding for finding in _checks.window() if finding.state == "problem"], "it needs no X11"

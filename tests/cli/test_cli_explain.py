"""`mien explain` as users call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_support import FACE, NO_FACE, Ended

from mien.core import images
from mien.testing import convolutional_onnx, crops, fake_card, write_model

Mien = Callable[..., Ended]


@pytest.fixture
def model(place: Path) -> Path:
    for package in ("matplotlib", "jinja2"):
        pytest.importorskip(package, reason=f"needs {package}, of the report extra")
    card = fake_card(name="small")
    return write_model(place, card, convolutional_onnx(card))


def test_a_photo(mien: Mien, model: Path) -> None:
    done = mien("explain", FACE, "--model", model, "--emotion", "joy", "--output", "why", "--channels", 3)
    assert done.code == 0, done.err
    assert "happy: " in done.out
    assert "page: why/explain.html" in done.out
    kept = json.loads(Path("why/explain.json").read_text(encoding="utf-8"))
    assert kept["faces"][0]["explained"] == "happy"
    assert kept["faces"][0]["box"]["width"] > 50


def test_a_face_of_a_data_set(mien: Mien, model: Path) -> None:
    images.save(crops(1)[0][:, :, None].repeat(3, 2), "face.png")
    done = mien("explain", "face.png", "--model", model)
    assert done.code == 0, done.err
    assert "taken as a face that is cut out" in done.err
    assert Path("explanation/explain.html").is_file()
    assert not Path("explanation/faces.jpg").exists()


def test_a_network_without_maps_is_explained_without_them(mien: Mien, model: Path) -> None:
    done = mien("explain", FACE)
    assert done.code == 0, done.err
    assert "no Grad-CAM" in done.err


def test_wrong_usage(mien: Mien, model: Path) -> None:
    for arguments, code, words in (
        ((NO_FACE, "--detector", "haar"), 3, "--crop"),
        ((FACE, "--face", 7), 2, "has 1 face"),
        ((FACE, "--emotion", "bored"), 2, "choose from angry"),
        ((FACE, "--model", "nobody"), 2, "unknown model"),
        (("missing.jpg",), 3, "missing.jpg"),
    ):
        done = mien("explain", *arguments, "--output", "why")
        assert (done.code, words in done.err) == (code, True), done.err
    assert not Path("why").exists()


def test_a_model_in_the_format_for_phones_is_refused_with_its_reason(mien: Mien, model: Path) -> None:
    assert mien("models", "convert", model, "--output", "phone").code == 0
    done = mien("explain", FACE, "--model", "phone/small.ort", "--output", "deep/why")
    assert done.code == 3
    assert "give the .onnx file" in done.err
    assert not Path("deep").exists()

"""Models in ONNX Runtime's own format, for phones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.core.errors import CardError, DigestError, ModelError, OptionError
from mien.testing import convolutional_onnx, fake_card, write_model
from mien.zoo import store
from mien.zoo.card import Card
from mien.zoo.layers import read_layers
from mien.zoo.ort_format import convert
from mien.zoo.registry import load_model
from mien.zoo.session import is_ort

BATCH = np.random.default_rng(0).random((5, 1, 48, 48), np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    card = fake_card(name="small", temperature=1.4)
    return write_model(tmp_path, card, convolutional_onnx(card))


@pytest.mark.parametrize("style", ["fixed", "runtime"])
def test_the_file_is_loaded_like_any_other_and_answers_alike(model: Path, style: str) -> None:
    made = convert(model, style=style)
    assert made.path == model.with_suffix(".ort")
    assert made.largest_difference < 1e-5
    content = made.path.read_bytes()
    assert is_ort(content)
    loaded = load_model(made.path)
    assert loaded.digest == made.card.sha256 == hashlib.sha256(content).hexdigest()
    assert loaded.card == Card.read(model.with_name("small.ort.json"))
    assert loaded.card.temperature == 1.4
    assert np.allclose(loaded.session.run(BATCH), load_model(model).session.run(BATCH), atol=1e-5)


def test_both_files_lie_beside_each_other_with_cards_of_their_own(model: Path) -> None:
    before = load_model(model).card
    convert(model)
    assert load_model(model).card == before
    model.with_name("small.ort.json").unlink()
    assert load_model(model.with_suffix(".ort")).card == before.without_digest()  # the one inside


def test_an_installed_model_is_written_here_or_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert convert("mien-base").path == Path("mien-base.ort")
    assert Path("mien-base.ort").is_file()
    assert convert("mien-base", Path("phone/app")).path == Path("phone/app/mien-base.ort")


def test_a_changed_file_is_refused(model: Path) -> None:
    path = convert(model).path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DigestError):
        load_model(path)


def test_what_cannot_be_converted_says_why(model: Path) -> None:
    path = convert(model).path
    with pytest.raises(ModelError, match="in ORT format already"):
        convert(path)
    with pytest.raises(OptionError, match="'fast'; choose one of fixed, runtime"):
        convert(model, style="fast")
    with pytest.raises(ModelError, match="add the ONNX file"):
        store.add_model(path, path.with_name("small.ort.json"))
    with pytest.raises(ModelError, match="layers"):
        read_layers(path.read_bytes(), BATCH)
    model.with_suffix(".json").write_text(replace(load_model(model).card, labels=("a", "b")).to_json())
    with pytest.raises(CardError):
        convert(model)

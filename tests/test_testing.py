"""The stand-ins are public: their users rely on what their docstrings say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.core.errors import OptionError
from mien.testing import FakeSession, crops, fake_card, fake_model, picture, write_model
from mien.zoo.registry import load_model


def batch(*brightness: float) -> np.ndarray:
    return np.stack([np.full((1, 48, 48), value, dtype=np.float32) for value in brightness])


def test_brightness_picks_the_label() -> None:
    session = FakeSession(["dark", "middle", "bright"])
    assert session.run(batch(0.0, 0.5, 1.0)).argmax(axis=1).tolist() == [0, 1, 2]
    assert session.output_size == 3
    assert session.batches == [(3, 1, 48, 48)]


def test_the_answer_may_be_given() -> None:
    same = FakeSession(["a", "b"], [1.0, 2.0]).run(batch(0, 0, 0))
    assert same.tolist() == [[1.0, 2.0]] * 3
    rows = FakeSession(["a", "b"], [[1.0, 2.0], [3.0, 4.0]]).run(batch(0, 0))
    assert rows.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    made = FakeSession(["a", "b"], lambda given: [[len(given), 0.0]] * len(given)).run(batch(0, 0))
    assert made.tolist() == [[2.0, 0.0]] * 2
    assert same.dtype == rows.dtype == made.dtype == np.float32


def test_a_batch_of_another_shape_is_refused() -> None:
    with pytest.raises(OptionError, match="1, 48, 48"):
        FakeSession().run(np.zeros((1, 3, 48, 48), dtype=np.float32))


def test_no_picture_gives_no_row() -> None:
    assert FakeSession(["a", "b"]).run(np.zeros((0, 1, 48, 48), dtype=np.float32)).shape == (0, 2)


def test_a_fake_model_is_whole() -> None:
    model = fake_model(["a", "b"], size=32, temperature=2.0, threshold=0.3, name="mine")
    assert model.card == fake_card(["a", "b"], size=32, temperature=2.0, threshold=0.3, name="mine")
    assert model.session.input_shape == (1, 32, 32)
    assert model.reference.name == "mine"
    assert len(model.digest) == 64


def test_a_written_model_is_real(tmp_path: Path) -> None:
    path = write_model(tmp_path, fake_card(["a", "b"], name="mine"))
    assert load_model(path).session.run(batch(0.1, 0.9)).argmax(axis=1).tolist() == [0, 1]


def test_pictures_are_the_same_every_time() -> None:
    assert picture(40, 30).shape == (30, 40, 3)
    assert crops(2).shape == (2, 48, 48)
    assert picture().dtype == crops().dtype == np.uint8
    np.testing.assert_array_equal(picture(seed=1), picture(seed=1))
    assert (picture(seed=1) != picture(seed=2)).any()
    assert (crops(seed=1) != crops(seed=2)).any()

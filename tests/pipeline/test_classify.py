from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien.core.errors import CardError, ModelError
from mien.pipeline.classify import MOST_FACES_A_CALL, classify, softmax, to_batch
from mien.testing import FakeSession, crops, fake_model
from mien.zoo.card import Card, ModelInput
from mien.zoo.registry import Model


def model(session: FakeSession, **card: object) -> Model:
    channels, height, width = session.input_shape
    colour = "gray" if channels == 1 else "rgb"
    return Model(
        "m", Card("m", session.labels, ModelInput(width, height, colour, 0.0, 1.0), **card), session, "0"
    )


def test_all_crops_go_in_one_call() -> None:
    fake = fake_model()
    assert classify(fake, crops(70)).shape == (70, 7)
    assert fake.session.batches == [(70, 1, 48, 48)]


def test_an_enormous_number_is_split_and_put_together_in_order() -> None:
    count = MOST_FACES_A_CALL + 3
    some = np.zeros((count, 48, 48), np.uint8)
    some[-1] = 255
    fake = fake_model()
    rows = classify(fake, some)
    assert [shape[0] for shape in fake.session.batches] == [MOST_FACES_A_CALL, 3]
    assert rows[:-1].argmax(axis=1).tolist() == [0] * (count - 1)
    assert rows[-1].argmax() == 6


def test_no_crop_is_no_call() -> None:
    fake = fake_model()
    assert classify(fake, crops(0)).shape == (0, 7)
    assert fake.session.batches == []


def test_labels_size_and_colour_come_from_the_card() -> None:
    session = FakeSession(("calm", "cross", "glad"), [0.0, 2.0, 1.0], input_shape=(3, 32, 40))
    colour = np.zeros((2, 32, 40, 3), np.uint8)
    rows = classify(model(session), colour)
    assert rows.shape == (2, 3)
    assert session.batches == [(2, 3, 32, 40)]


def test_the_temperature_flattens() -> None:
    logits = np.array([2.0, 1.0, 0.0])
    cold = classify(model(FakeSession("abc", logits)), crops(1))[0]
    warm = classify(model(FakeSession("abc", logits), temperature=2.0), crops(1))[0]
    np.testing.assert_allclose(cold, np.exp(logits) / np.exp(logits).sum(), atol=1e-12)
    np.testing.assert_allclose(warm, np.exp(logits / 2) / np.exp(logits / 2).sum(), atol=1e-12)


def test_pixels_are_normalised_as_the_card_says() -> None:
    card = Card("m", ("a", "b"), ModelInput(2, 1, "rgb", 0.5, 0.25))
    batch = to_batch(np.array([[[[0, 51, 255], [255, 0, 102]]]], np.uint8), card)
    expected = (np.array([[[[0, 255]], [[51, 0]], [[255, 102]]]]) / 255 - 0.5) / 0.25
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    np.testing.assert_allclose(batch, expected, atol=1e-5)


@given(arrays(np.float64, (4, 7), elements=st.floats(-1e30, 1e30)), st.floats(0.05, 20))
def test_softmax_is_always_a_distribution(logits: np.ndarray, temperature: float) -> None:
    rows = softmax(logits, temperature)
    assert rows.dtype == np.float64
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(
        np.take_along_axis(rows, logits.argmax(axis=1)[:, None], 1)[:, 0], rows.max(axis=1)
    )


def test_softmax_does_not_change_the_logits() -> None:
    logits = np.ones((1, 3))
    softmax(logits, 0.5)
    assert (logits == 1).all()


def test_a_network_that_disagrees_with_its_card_is_refused() -> None:
    session = FakeSession("abc")
    wrong = Model("m", Card("m", ("a", "b"), ModelInput(48, 48, "gray", 0.0, 1.0)), session, "0")
    with pytest.raises(CardError, match=r"3 values.*2 labels"):
        classify(wrong, crops(2))


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ModelError, match="not finite"):
        classify(fake_model(logits=lambda batch: np.full((len(batch), 7), np.nan)), crops(2))

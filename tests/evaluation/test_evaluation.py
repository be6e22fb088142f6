"""Figures against worked examples and against independent definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien.core.errors import DatasetError
from mien.datasets import FaceDataset
from mien.evaluation import calibration, evaluate, metrics
from mien.testing import fake_card, fake_model

labels_of_faces = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, n, elements=st.integers(0, 3)), arrays(np.int64, n, elements=st.integers(0, 3))
    )
)


def test_wilson_interval_of_a_textbook_example() -> None:
    low, high = metrics.wilson_interval(0.68, 3589)
    assert low == pytest.approx(0.6646, abs=2e-4)
    assert high == pytest.approx(0.6951, abs=2e-4)
    assert metrics.wilson_interval(1.0, 10)[1] == 1.0
    assert metrics.wilson_interval(0.0, 10)[0] == 0.0


@given(labels_of_faces)
def test_confusion_counts_every_pair(pair: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, true = pair
    confusion = metrics.confusion_matrix(predicted, true, 4)
    for t in range(4):
        for p in range(4):
            assert confusion[t, p] == ((true == t) & (predicted == p)).sum()
    assert metrics.accuracy(predicted, true) == pytest.approx(np.trace(confusion) / len(true))


def test_precision_recall_and_f1_of_a_worked_example() -> None:
    confusion = np.array([[8, 2, 0], [4, 6, 0], [0, 0, 0]])
    rows = metrics.precision_recall_f1(confusion)
    assert rows[0] == pytest.approx([8 / 12, 0.8, 16 / 22])
    assert rows[1] == pytest.approx([0.75, 0.6, 12 / 18])
    assert metrics.macro_f1(confusion) == pytest.approx((16 / 22 + 12 / 18) / 2)


def test_the_bootstrap_interval_holds_the_figure_and_repeats() -> None:
    generator = np.random.default_rng(3)
    true = generator.integers(0, 3, 500)
    predicted = np.where(generator.random(500) < 0.7, true, generator.integers(0, 3, 500))
    low, high = metrics.bootstrap_interval(predicted, true, 3, rounds=200)
    assert low < metrics.macro_f1(metrics.confusion_matrix(predicted, true, 3)) < high
    assert (low, high) == metrics.bootstrap_interval(predicted, true, 3, rounds=200)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (20_000, 4))
    powers = np.exp(logits)
    probabilities = powers / powers.sum(1, keepdims=True)
    true = (probabilities.cumsum(1) < generator.random((20_000, 1))).sum(1)
    assert calibration.fit_temperature(logits * temperature, true) == pytest.approx(temperature, rel=0.05)


def test_a_few_faces_do_not_drive_the_calibration_to_its_limits() -> None:
    logits = np.tile([2.0, 0.0, 0.0], (12, 1))
    card = fake_card(("a", "b", "c"))
    right = calibration.calibrated(card, logits, np.zeros(12, np.int64))
    assert 0.3 < right.temperature < 1
    assert right.training["calibrated_on"] == 12
    assert calibration.doubts(right) == ("calibrated on 12 faces only: confidences and threshold are rough",)
    wrong = calibration.calibrated(card, logits, np.ones(12, np.int64))
    assert 1 < wrong.temperature < 10
    # The most confident face is wrong, and the others are right: three faces do not decide.
    mixed = np.array([[4.0, 0.0], [3.9, 0.0], [3.8, 0.0]])
    assert calibration.calibrated(fake_card(("a", "b")), mixed, np.array([1, 0, 0])).threshold < 1


def test_the_prior_weighs_nothing_beside_many_faces() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (2000, 4))
    true = logits.argmax(1) * (generator.random(2000) < 0.8)
    one = calibration.fit_temperature(logits, true)
    many = calibration.fit_temperature(np.tile(logits, (50, 1)), np.tile(true, 50))
    assert one == pytest.approx(many, rel=1e-3)


def test_a_threshold_that_no_face_reaches_answers_none() -> None:
    data = faces([0, 1, 1, 1], ("angry", "happy"))
    model = fake_model(labels=("sad", "happy", "angry"), threshold=1.0)
    found = evaluate(model, data)
    figures = found.to_dict()["metrics"]
    assert figures["coverage"]["value"] == 0
    assert "answered_accuracy" not in figures
    assert "every face reads as uncertain" in calibration.doubts(model.card)[0]


def test_calibration_error_of_a_worked_example() -> None:
    # Ten faces at 0.9 of which five are right: the gap is 0.4.
    probabilities = np.tile([0.9, 0.1], (10, 1))
    true = np.array([0] * 5 + [1] * 5)
    assert calibration.expected_calibration_error(probabilities, true) == pytest.approx(0.4)
    assert calibration.expected_calibration_error(np.tile([1.0, 0.0], (4, 1)), np.zeros(4, int)) == 0.0


@given(st.integers(0, 2**31), st.floats(0.5, 0.95))
def test_the_threshold_answers_as_many_faces_as_the_rate_allows(seed: int, wanted: float) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([1, 1, 1], 40).round(2)
    true = generator.integers(0, 3, 40)
    threshold, share = calibration.choose_threshold(probabilities, true, wanted)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == true

    def rate(limit: float) -> float:
        answered = confidence >= limit
        return right[answered].mean() if answered.any() else 0.0

    reaching = [limit for limit in np.unique(confidence) if rate(limit) >= wanted]
    if reaching:
        assert threshold in (min(reaching), wanted)
        assert share == (confidence >= threshold).mean() == (confidence >= min(reaching)).mean()
    else:
        assert (threshold, share) == (1.0, 0.0)


def test_a_dozen_sure_faces_do_not_ask_for_more_than_the_rate() -> None:
    sure = np.array([[0.98, 0.02], [0.99, 0.01], [0.03, 0.97], [0.01, 0.99]])
    true = np.array([0, 0, 1, 1])
    assert calibration.choose_threshold(sure, true, 0.8, prior=10) == (0.8, 1.0)
    # A face that is wrong above the rate still lifts the threshold over itself.
    wrong = np.vstack([sure, [[0.9, 0.1]] * 4])
    threshold, share = calibration.choose_threshold(wrong, np.array([0, 0, 1, 1, 1, 1, 1, 1]), 0.8)
    assert (threshold, share) == (0.97, 0.5)


def faces(targets: list[int], labels: tuple[str, ...], side: int = 48) -> FaceDataset:
    pictures = np.zeros((len(targets), side, side), np.uint8)
    return FaceDataset(pictures, np.array(targets, np.int64), labels, ("x",) * len(targets), source="made")


def test_a_model_is_measured_in_the_order_of_its_card() -> None:
    logits = np.array([0.0, 4.0, 0.0], np.float32)  # always "happy"
    model = fake_model(labels=("sad", "happy", "angry"), logits=logits)
    evaluation = evaluate(model, faces([0, 1, 1, 1], ("angry", "happy")))
    assert evaluation.true.tolist() == [2, 1, 1, 1]
    figures = {metric.name: metric for metric in evaluation.metrics()}
    assert figures["accuracy"].value == 0.75
    assert figures["accuracy"].low < 0.75 < figures["accuracy"].high
    assert evaluation.confusion.tolist() == [[0, 0, 0], [0, 3, 0], [0, 1, 0]]
    assert evaluation.to_dict()["per_label"]["happy"]["recall"] == 1.0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (faces([0], ("bored", "happy")), "bored"),
        (faces([0], ("happy", "sad"), side=32), "32×32"),
        (faces([], ("happy", "sad")), "no faces"),
    ],
)
def test_data_that_does_not_fit_the_model_is_refused(data: FaceDataset, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        evaluate(fake_model(), data)

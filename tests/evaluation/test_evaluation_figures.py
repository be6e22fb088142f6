"""Every figure against scikit-learn or a definition written out here."""

import hashlib
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core.errors import DatasetError, OptionError
from mien.datasets import FaceDataset
from mien.evaluation import (
    Evaluation,
    agreement,
    compare,
    corrupt,
    curves,
    evaluate,
    measure_corruptions,
    measure_mirror,
    metrics,
    milliseconds_per_face,
)
from mien.evaluation.calibration import reliability, risk_coverage
from mien.evaluation.compare import mcnemar
from mien.evaluation.corruptions import SEVERITIES, CorruptionResult, mean_relative_drop
from mien.testing import crops, fake_model

reference = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn, of the report extra")

LABELS = ("angry", "happy", "sad")


def drawn(seed: int, faces: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([1, 1, 1], faces)
    likely = (probabilities.cumsum(1) < generator.random((faces, 1))).sum(1)
    return probabilities, np.minimum(likely, 2).astype(np.int64)


def made(probabilities: np.ndarray, true: np.ndarray, **changes: object) -> Evaluation:
    fields = {
        "labels": LABELS,
        "probabilities": probabilities,
        "uncalibrated": probabilities,
        "true": true,
        "temperature": 1.0,
        "threshold": 0.5,
        "source": "made",
        "names": tuple(f"{i}.png" for i in range(len(true))),
    }
    return Evaluation(**{**fields, **changes})


@given(st.integers(0, 2**31))
def test_the_figures_are_those_of_scikit_learn(seed: int) -> None:
    probabilities, true = drawn(seed)
    predicted = probabilities.argmax(1)
    confusion = metrics.confusion_matrix(predicted, true, 3)
    assert metrics.balanced_accuracy(confusion) == pytest.approx(
        reference.balanced_accuracy_score(true, predicted)
    )
    assert metrics.log_loss(probabilities, true) == pytest.approx(reference.log_loss(true, probabilities))
    assert metrics.top_accuracy(probabilities, true, 2) == pytest.approx(
        reference.top_k_accuracy_score(true, probabilities, k=2)
    )
    brier = reference.brier_score_loss(true, probabilities, scale_by_half=False)
    assert metrics.brier_score(probabilities, true) == pytest.approx(brier)
    assert metrics.rates(confusion) == pytest.approx(
        reference.confusion_matrix(true, predicted, normalize="true")
    )


def test_ties_and_impossible_answers_have_a_figure() -> None:
    even = np.full((2, 3), 1 / 3)
    assert metrics.top_accuracy(even, np.array([0, 2]), 1) == 0.5
    assert metrics.top_accuracy(even, np.array([1, 2]), 2) == 0.5
    sure = np.array([[1.0, 0.0]])
    assert 700 < metrics.log_loss(sure, np.array([1])) < 710
    assert metrics.brier_score(sure, np.array([1])) == 2.0


def test_each_label_has_its_curves() -> None:
    probabilities, true = drawn(3)
    found = curves(made(probabilities, true))
    for index, (roc, recall) in enumerate(zip(found.roc, found.precision_recall, strict=True)):
        own, score = true == index, probabilities[:, index]
        assert roc.area == pytest.approx(reference.roc_auc_score(own, score))
        assert recall.area == pytest.approx(reference.average_precision_score(own, score))
        assert (np.diff(roc.x) >= 0).all()
        assert (np.diff(recall.x) >= 0).all()
        assert roc.support == own.sum()
    assert found.to_dict()["roc_auc"]["macro"] == pytest.approx(
        reference.roc_auc_score(true, probabilities, multi_class="ovr")
    )


def test_a_label_that_no_face_has_is_without_curves() -> None:
    probabilities, true = drawn(3)
    assert [curve.label for curve in curves(made(probabilities, np.minimum(true, 1))).roc] == [
        "angry",
        "happy",
    ]
    nothing = curves(made(probabilities, np.zeros_like(true))).to_dict()
    assert nothing["roc_auc"] == {"macro": None, "per_label": {}}


def test_reliability_of_a_worked_example() -> None:
    probabilities = np.array([[0.95, 0.05]] * 4 + [[0.4, 0.6]] * 2)
    found = reliability(probabilities, np.array([0, 0, 0, 1, 1, 0]), bins=10)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 0, 4]
    assert found.accuracy[[6, 9]] == pytest.approx([0.5, 0.75])
    assert found.confidence[[6, 9]] == pytest.approx([0.6, 0.95])
    assert found.error == pytest.approx((2 * 0.1 + 4 * 0.2) / 6)


@given(st.integers(0, 2**31))
def test_risk_and_coverage_follow_the_threshold(seed: int) -> None:
    probabilities, true = drawn(seed, 50)
    probabilities = probabilities.round(2)
    curve = risk_coverage(probabilities, true)
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != true
    for threshold, coverage, risk in zip(curve.thresholds, curve.coverage, curve.risk, strict=True):
        answered = confidence >= threshold
        assert coverage == pytest.approx(answered.mean())
        assert risk == pytest.approx(wrong[answered].mean())
    assert curve.coverage[-1] == 1
    assert 0 <= curve.area <= 1


def test_the_card_s_temperature_is_taken_back_for_the_diagram_before_it() -> None:
    model = fake_model(LABELS, np.array([2.0, 0, 0], np.float32), temperature=4.0)
    data = FaceDataset(crops(3), np.array([0, 1, 2]), LABELS, ("a", "b", "c"))
    evaluation = evaluate(model, data)
    plain = np.exp([2.0, 0, 0]) / np.exp([2.0, 0, 0]).sum()
    assert evaluation.uncalibrated[0] == pytest.approx(plain)
    assert evaluation.probabilities[0, 0] < plain[0]
    figures = evaluation.to_dict()
    assert figures["reliability"]["before"] != figures["reliability"]["after"]
    assert figures["metrics"]["top_2_accuracy"]["value"] == pytest.approx(2 / 3)


def test_mistakes_are_the_most_confident_first() -> None:
    probabilities = np.array([[0.6, 0.4, 0], [0.9, 0.1, 0], [0.2, 0.8, 0], [0.7, 0.3, 0]])
    evaluation = made(probabilities, np.array([1, 0, 0, 2]))
    assert evaluation.mistakes(2).tolist() == [2, 3]
    assert evaluation.mistakes(9).tolist() == [2, 3, 0]


def test_a_crowd_counts_where_more_than_half_agree() -> None:
    evaluation = made(np.eye(3)[[0, 0, 1, 2]], np.array([0, 1, 2, 2]))
    votes = {
        "0.png": {"angry": 6, "happy": 4},
        "1.png": {"happy": 5, "angry": 5},  # half is not more than half
        "2.png": {"sad": 6, "happy": 1},
        "3.png": {"sad": 4, "other": 5},  # most could not tell
    }
    found = agreement(evaluation, votes)
    assert found is not None
    assert (found.faces, found.share, found.label_share) == (2, 0.5, 1.0)
    assert agreement(evaluation, {}) is None


def test_agreement_goes_from_the_label_to_the_crowd_with_the_weight_of_the_votes() -> None:
    # Labelled 0 and 1; of both the crowd says 1, of the second with everyone; the model says 1 twice.
    evaluation = made(np.eye(3)[[1, 1]], np.array([0, 1]))
    votes = {"0.png": {"happy": 6, "angry": 4}, "1.png": {"happy": 10}}
    found = agreement(evaluation, votes)
    assert found is not None
    assert found.along[0.0] == 0.5
    assert found.along[1.0] == found.share == 1.0
    # 0.8 of the label against 0.2 of the votes: still the label; the votes win above 1 / 1.2 only.
    assert found.along[0.8] == 0.5
    assert json.loads(json.dumps(found.to_dict()))["along"]["1.0"] == 1.0


def test_mirror_images_are_read_and_compared() -> None:
    def brighter_side(batch: np.ndarray) -> np.ndarray:
        left, right = batch[..., :24].mean((1, 2, 3)), batch[..., 24:].mean((1, 2, 3))
        return np.stack([left, right, np.full(len(batch), -9.0)], 1)

    images = np.zeros((4, 48, 48), np.uint8)
    images[0, :, :24] = images[1, :, 24:] = 255  # these two change sides, the others look the same
    data = FaceDataset(images, np.array([0, 1, 0, 0]), LABELS[:3], tuple("abcd"), source="made")
    model = fake_model(LABELS[:3], logits=brighter_side)
    found = measure_mirror(model, data)
    assert (found.faces, found.share, found.moved_median < found.moved_95) == (4, 0.5, True)
    assert found.low < 0.5 < found.high
    averaged = evaluate(model, data, tta=True)
    assert averaged.probabilities[0] == pytest.approx(averaged.probabilities[1])
    assert "test-time augmentation), two" in averaged.metrics()[0].protocol
    assert "no test-time" in evaluate(model, data).metrics()[0].protocol


def test_the_mean_drop_is_relative_to_the_accuracy() -> None:
    results = [CorruptionResult("blur", "", accuracy, 0, 1) for accuracy in (0.6, 0.4)]
    assert mean_relative_drop(0.8, results) == pytest.approx((0.25 + 0.5) / 2)
    assert mean_relative_drop(0.0, results) == 0.0


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value", "method"),
    [
        (0, 0, 1.0, "exact"),
        (9, 1, 0.021484375, "exact"),  # 2 · (10 + 1) / 2¹⁰
        (30, 10, math.erfc(math.sqrt(19**2 / 40 / 2)), "chi-square"),
        (20, 20, 1.0, "chi-square"),
    ],
)
def test_mcnemar_of_worked_examples(only_first: int, only_second: int, p_value: float, method: str) -> None:
    first = np.array([True] * (only_first + 5) + [False] * (only_second + 2))
    second = np.array([False] * only_first + [True] * (5 + only_second) + [False] * 2)
    found = mcnemar(first, second)
    assert (found.both_right, found.only_first, found.only_second, found.both_wrong) == (
        5,
        only_first,
        only_second,
        2,
    )
    assert found.p_value == pytest.approx(p_value, rel=1e-4)
    assert found.method.startswith(method)


def test_models_are_compared_on_the_same_faces_only() -> None:
    probabilities, true = drawn(0)
    one = made(probabilities, true)
    assert compare(one, one).p_value == 1.0
    with pytest.raises(DatasetError, match="same faces"):
        compare(one, made(probabilities, true, names=("x",) * len(true)))


def ramp() -> np.ndarray:
    """Three faces without chance: two ramps and a checkerboard."""
    down, across = np.mgrid[0:48, 0:48]
    board = (down // 6 + across // 6) % 2 * 200 + 20
    return np.stack([across * 5, (down * 3 + across * 2), board]).astype(np.uint8)


@pytest.mark.parametrize("name", SEVERITIES)
def test_corruptions_repeat_keep_their_form_and_leave_the_faces_alone(name: str) -> None:
    faces = ramp()
    damaged = corrupt(faces, name, seed=1)
    assert (faces == ramp()).all()
    assert damaged.shape == faces.shape
    assert damaged.dtype == np.uint8
    assert (damaged != faces).any()
    assert (damaged == corrupt(faces, name, seed=1)).all()
    assert (damaged != corrupt(faces, name, seed=2)).any() == (name in ("noise", "occlusion"))
    assert corrupt(faces[:0], name).shape == (0, 48, 48)


PINNED = {
    "blur": "f6a1f0dd21447f97",
    "noise": "d33263b77a6b9ce7",
    "dark": "5448dd3cdd74bfbd",
    "gamma": "f0ac6012844c208f",
    "jpeg": "5ed279281cbfce5d",
    "occlusion": "57936d69bfde927b",
    "low_resolution": "7e7d4e1f11d9d5e3",
}


def test_the_strength_of_each_corruption_never_changes() -> None:
    """Another digest makes every figure measured before incomparable; it is not to be updated lightly."""
    found = {name: hashlib.sha256(corrupt(ramp(), name).tobytes()).hexdigest()[:16] for name in SEVERITIES}
    assert found == PINNED


def test_the_documentation_states_each_strength(request: pytest.FixtureRequest) -> None:
    page = (request.config.rootpath / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in SEVERITIES)


def test_an_unknown_corruption_is_refused() -> None:
    with pytest.raises(OptionError, match="fog"):
        corrupt(ramp(), "fog")


def test_accuracy_is_measured_under_each_corruption() -> None:
    # Brightness picks the label: white faces are "sad", and at half the brightness they are "happy".
    data = FaceDataset(np.full((4, 48, 48), 255, np.uint8), np.full(4, 2), LABELS, tuple("abcd"))
    seen: list[tuple[int, int]] = []
    results = measure_corruptions(fake_model(LABELS), data, progress=lambda done, of: seen.append((done, of)))
    accuracy = {result.name: result.accuracy for result in results}
    assert tuple(accuracy) == tuple(SEVERITIES)
    assert accuracy["dark"] == 0
    assert accuracy["gamma"] == accuracy["blur"] == 1
    assert seen == [(n, 7) for n in range(1, 8)]


def test_speed_is_measured_one_face_at_a_time() -> None:
    model = fake_model()
    assert milliseconds_per_face(model, crops(2), faces=3) > 0
    assert set(model.session.batches) == {(1, 1, 48, 48)}  # type: ignore[attr-defined]
    assert len(model.session.batches) == 8  # type: ignore[attr-defined]

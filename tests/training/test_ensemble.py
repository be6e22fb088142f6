"""Several models as one file: the mean of what they say, whatever they read and in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("onnx", reason="needs onnx, of the train extra")

from mien.core.errors import DatasetError, ModelError, OptionError
from mien.datasets import FaceDataset
from mien.pipeline.classify import classify
from mien.testing import convolutional_onnx, crops, fake_card, tiny_onnx, write_model
from mien.training.ensemble import ensemble
from mien.zoo.card import Card, ModelInput
from mien.zoo.registry import load_model

LABELS = ("happy", "sad", "angry")
CARD = replace(
    fake_card(LABELS, threshold=0.4, temperature=2.0), parameters=10, multiply_adds=100, licence="MIT"
)
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(name: str, seed: int = 0, **changes: object) -> Path:
        card: Card = replace(CARD, name=name, **changes)  # type: ignore[arg-type]
        return write_model(tmp_path, card, convolutional_onnx(card, seed=seed))

    return write


def said(path: Path, faces: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What a model says, in the order of LABELS."""
    model = load_model(path)
    return classify(model, faces)[:, [model.card.labels.index(label) for label in LABELS]]


def test_the_file_gives_the_weighted_mean_of_calibrated_probabilities(make: Make, tmp_path: Path) -> None:
    one = make("one")
    other = make("other", 1, labels=("angry", "happy", "sad"), temperature=0.7, threshold=0.7)
    made = ensemble([one, other], tmp_path / "new" / "both.onnx", weights=[3, 1])
    faces = crops(9)
    assert np.allclose(said(made.path, faces), 0.75 * said(one, faces) + 0.25 * said(other, faces), atol=1e-5)
    assert made.largest_difference < 1e-5
    card = load_model(made.path).card
    assert (card.name, card.labels, card.temperature, card.threshold) == ("both", LABELS, 1.0, 0.475)
    assert (card.parameters, card.multiply_adds, card.licence) == (20, 200, "MIT")
    assert [member["weight"] for member in card.training["ensemble"]] == [0.75, 0.25]


def test_an_ensemble_can_be_a_member(make: Make, tmp_path: Path) -> None:
    inner = ensemble([make("a"), make("b", 1)], tmp_path / "inner.onnx").path
    outer = ensemble([inner, make("c", 2)], tmp_path / "outer.onnx").path
    faces = crops(4)
    assert np.allclose(said(outer, faces), (said(inner, faces) + said(make("c", 2), faces)) / 2, atol=1e-5)


def test_members_may_read_another_scale(make: Make, tmp_path: Path) -> None:
    plain = make("plain")
    other = make("other", 1, input=ModelInput(48, 48, "gray", 0.5, 0.25))
    made = ensemble([plain, other], tmp_path / "both.onnx")
    faces = crops(5)
    assert np.allclose(said(made.path, faces), (said(plain, faces) + said(other, faces)) / 2, atol=1e-5)


def test_members_may_read_another_size_and_colour(make: Make, tmp_path: Path) -> None:
    small = make("small", input=ModelInput(24, 24, "gray", 0.0, 1.0))
    colour = make("colour", 1, input=ModelInput(48, 48, "rgb", 0.0, 1.0))
    made = ensemble([small, colour], tmp_path / "both.onnx")
    assert made.card.input == ModelInput(48, 48, "rgb", 0.0, 1.0)
    # Even grey survives any way of shrinking.
    faces = np.repeat(np.arange(40, 240, 40, dtype=np.uint8), 48 * 48).reshape(5, 48, 48)
    three = faces[..., np.newaxis].repeat(3, -1)
    mean = (said(small, faces[:, :24, :24]) + said(colour, three)) / 2
    assert np.allclose(said(made.path, three), mean, atol=1e-4)


def test_older_operators_are_brought_up(make: Make, tmp_path: Path) -> None:
    card = replace(CARD, name="tiny")
    tiny = write_model(tmp_path, card, tiny_onnx(card))  # of version 13
    made = ensemble([tiny, make("one")], tmp_path / "both.onnx")
    assert np.allclose(
        said(made.path, crops(3)), (said(tiny, crops(3)) + said(make("one"), crops(3))) / 2, atol=1e-5
    )


def data(made: Path, count: int = 60) -> FaceDataset:
    """Faces labelled mostly as the model at `made` reads them."""
    faces = crops(count)
    true = said(made, faces).argmax(1)
    true[::5] = (true[::5] + 1) % 3
    return FaceDataset(faces, true.astype(np.int64), LABELS, tuple(map(str, range(count))), source="made")


def test_temperature_and_threshold_are_fitted_and_the_test_is_reported(make: Make, tmp_path: Path) -> None:
    members = [make("one"), make("two", 1)]
    faces = data(ensemble(members, tmp_path / "first.onnx").path)
    made = ensemble(members, tmp_path / "both.onnx", validation=faces, test=faces)
    assert made.card.temperature != 1.0
    accuracy = made.card.metric("accuracy")
    assert accuracy is not None
    assert accuracy.value == pytest.approx(0.8)
    assert made.accuracies[0] == pytest.approx(
        (said(members[0], faces.images).argmax(1) == faces.targets).mean()
    )
    assert load_model(made.path).card == made.card


def test_what_cannot_be_averaged_says_why(make: Make, tmp_path: Path) -> None:
    one, out = make("one"), tmp_path / "both.onnx"
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(one.read_bytes())
    fewer = make("fewer", labels=("happy", "sad"))
    turned = make("turned", 2, template=tuple(reversed(CARD.template)))
    fixed = replace(CARD, name="fixed")
    fixed_path = write_model(tmp_path, fixed, tiny_onnx(fixed, batch=4))
    for models, options, error, words in (
        ([one], {}, OptionError, "two models or more"),
        ([one, copy], {}, OptionError, "given twice"),
        ([one, make("two", 1)], {"weights": [1]}, OptionError, "1 weights"),
        ([one, make("two", 1)], {"weights": [1, 0]}, OptionError, "above 0"),
        ([one, fewer], {}, ModelError, "only 'one' knows angry"),
        ([one, turned], {}, ModelError, "cut out differently"),
        ([one, fixed_path], {}, ModelError, "fixed number of faces"),
        ([one, "nobody"], {}, ModelError, "unknown model"),
    ):
        with pytest.raises(error, match=words):
            ensemble(models, out, **options)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="is one of the models"):
        ensemble([one, make("two", 1)], one)
    with pytest.raises(OptionError, match=r"\.onnx"):
        ensemble([one, make("two", 1)], tmp_path / "both.bin")
    wrong = FaceDataset(crops(2, size=24), np.zeros(2, np.int64), LABELS, ("a", "b"))
    with pytest.raises(DatasetError):
        ensemble([one, make("two", 1)], out, test=wrong)
    assert not out.exists()

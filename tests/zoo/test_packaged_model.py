"""The default model, as it is packaged: whole, honest about itself, and of use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mien
from mien.core.emotions import DEFAULT_LABELS
from mien.pipeline.analyzer import Analyzer
from mien.zoo import store
from mien.zoo.registry import DEFAULT_MODEL, Model, load_model

SAMPLES = Path(mien.__file__).parent / "samples"


@pytest.fixture(autouse=True)
def no_models_of_the_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    monkeypatch.delenv("MODEL_PATH", raising=False)


@pytest.fixture
def model() -> Model:
    return load_model(threads=1, device="cpu")


@pytest.fixture
def analyzer(model: Model) -> Iterator[Analyzer]:
    with Analyzer(model=model, detector="haar") as opened:
        yield opened


def test_the_packaged_files_are_whole(model: Model) -> None:
    (check,) = [check for check in store.verify() if check.name == DEFAULT_MODEL]
    assert check.problem is None
    assert check.path.parent == store.packaged_folder()
    assert (model.name, model.card.labels) == (DEFAULT_MODEL, DEFAULT_LABELS)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "expected_calibration_error"])
def test_the_card_says_how_good_it_is_and_on_what(name: str, model: Model) -> None:
    metric = model.card.metric(name)
    assert metric is not None
    assert 0 <= metric.value <= 1
    assert metric.data
    assert metric.protocol


def test_the_accuracy_has_an_interval_and_agrees_with_the_confusion(model: Model) -> None:
    accuracy, confusion = model.card.metric("accuracy"), model.card.confusion
    assert accuracy is not None
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert accuracy.low < accuracy.value < accuracy.high

    stated = re.search(r"\((\d+) faces\)", accuracy.data)
    assert stated is not None
    faces = sum(map(sum, confusion))
    assert faces == int(stated[1])
    assert [len(row) for row in confusion] == [len(DEFAULT_LABELS)] * len(DEFAULT_LABELS)
    right = sum(confusion[label][label] for label in range(len(confusion)))
    assert right / faces == pytest.approx(accuracy.value, abs=1e-4)


def test_the_card_says_what_the_model_is_for_and_what_it_is_not(model: Model) -> None:
    assert model.card.intended_use
    assert "not" in model.card.limits
    assert model.card.licence


def test_it_reads_a_smile_and_finds_no_face_on_a_rocket(analyzer: Analyzer) -> None:
    (face,) = analyzer.analyze(SAMPLES / "eileen-collins.jpg").faces
    assert face.emotion == "happy"
    assert analyzer.analyze(SAMPLES / "rocket-launch.jpg").faces == ()

import copy
import json
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import OptionError
from mien.core.geometry import Box, Landmarks
from mien.core.results import Face, ImageAnalysis, ModelReference, Pose, Quality, Scores

numbers = st.floats(-1e6, 1e6)
labels = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=9, unique=True)
boxes = st.builds(Box, st.integers(0, 4000), st.integers(0, 4000), st.integers(1, 4000), st.integers(1, 4000))
landmarks = st.lists(st.tuples(numbers, numbers), min_size=5, max_size=5).map(Landmarks.from_array)
poses = st.builds(Pose, numbers, numbers, numbers)
qualities = st.builds(
    Quality,
    size=st.integers(1, 4000),
    sharpness=st.floats(0, 1e6),
    brightness=st.floats(0, 255),
    pose=st.none() | poses,
    reasons=st.lists(st.sampled_from(["small", "blurred", "dark"]), unique=True).map(tuple),
)
# File names may hold anything, also bytes that are not UTF-8.
sources = st.none() | st.text(st.characters(exclude_categories=[]), max_size=20)


@st.composite
def scores(draw: st.DrawFn) -> Scores:
    names = draw(labels)
    parts = draw(st.lists(st.integers(1, 1000), min_size=len(names), max_size=len(names)))
    return Scores({name: part / sum(parts) for name, part in zip(names, parts, strict=True)})


@st.composite
def faces(draw: st.DrawFn) -> Face:
    probabilities = draw(scores())
    top = max(probabilities, key=probabilities.__getitem__)
    return Face(
        box=draw(boxes),
        scores=probabilities,
        emotion=draw(st.sampled_from([None, top])),
        quality=draw(qualities),
        detection_score=draw(st.none() | st.floats(0, 1)),
        landmarks=draw(st.none() | landmarks),
        track_id=draw(st.none() | st.integers(0, 10_000)),
    )


analyses = st.builds(
    ImageAnalysis,
    faces=st.lists(faces(), max_size=3).map(tuple),
    width=st.integers(1, 10_000),
    height=st.integers(1, 10_000),
    model=st.builds(ModelReference, st.text(), st.text()),
    detector=st.sampled_from(["haar", "yunet", "given"]),
    options=st.text(),
    elapsed_s=st.floats(0, 1e6),
    source=sources,
)

SCORES = Scores({label: 0.4 if label == "happy" else 0.1 for label in DEFAULT_LABELS})
QUALITY = Quality(size=80, sharpness=300.0, brightness=120.0, pose=Pose(1.0, 2.0, 3.0))
FACE = Face(Box(1, 2, 80, 90), SCORES, "happy", QUALITY, 0.9)
ANALYSIS = ImageAnalysis((FACE,), 640, 480, ModelReference("m", "d"), "haar", "o", 0.1)


@settings(max_examples=50)
@given(analyses)
def test_an_analysis_survives_json(analysis: ImageAnalysis) -> None:
    assert ImageAnalysis.from_dict(json.loads(json.dumps(analysis.to_dict()))) == analysis


@settings(max_examples=50)
@given(analyses)
def test_an_analysis_survives_pickling_and_copying(analysis: ImageAnalysis) -> None:
    assert pickle.loads(pickle.dumps(analysis)) == analysis
    assert copy.deepcopy(analysis) == analysis
    assert hash(pickle.loads(pickle.dumps(analysis))) == hash(analysis)


@given(scores())
def test_scores_keep_card_order_and_values(probabilities: Scores) -> None:
    again = Scores(json.loads(json.dumps(dict(probabilities))))

    assert list(again.items()) == list(probabilities.items())
    assert sum(again.values()) == pytest.approx(1.0)
    assert probabilities == dict(probabilities)


def test_scores_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        SCORES["happy"] = 1.0  # type: ignore[index]
    with pytest.raises(AttributeError):
        SCORES.happy = 1.0  # type: ignore[attr-defined]
    given_scores = {"a": 0.5, "b": 0.5}
    kept = Scores(given_scores)
    given_scores["a"] = 0.0
    assert kept["a"] == 0.5


def test_scores_without_the_label_behave_like_a_mapping() -> None:
    assert "bored" not in SCORES
    assert SCORES.get("bored") is None
    with pytest.raises(KeyError):
        SCORES["bored"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": math.nan, "b": 1.0},
        {"a": math.inf},
        {"a": 1.2, "b": -0.2},
        {"a": 0.5, "b": 0.4},
        {"a": None},
        {"a": "1"},
        {"a": True},
        {1: 1.0},
        [1.0],
        None,
    ],
)
def test_scores_are_probabilities_of_labels(values: Any) -> None:
    with pytest.raises(OptionError, match="score"):
        Scores(values)


def test_numpy_numbers_become_plain_ones() -> None:
    face = Face(
        box=Box(*np.array([1, 2, 3, 4])),
        scores=dict(zip("ab", np.array([0.25, 0.75], np.float32), strict=True)),
        emotion="b",
        quality=Quality(np.int64(3), np.float32(1.5), np.float32(2.5), Pose(1, 2, np.float32(3))),  # type: ignore[arg-type]
        detection_score=np.float32(0.5),  # type: ignore[arg-type]
        track_id=np.int64(7),  # type: ignore[arg-type]
    )

    assert Face.from_dict(json.loads(json.dumps(face.to_dict()))) == face


def test_a_face_says_its_top_label_also_when_it_is_uncertain() -> None:
    face = Face(Box(0, 0, 5, 5), SCORES, None, QUALITY)

    assert (face.emotion, face.top, face.confidence) == (None, "happy", 0.4)


def test_the_emotion_has_to_be_the_top_label() -> None:
    with pytest.raises(OptionError, match=r"'sad'.*'happy'"):
        Face(Box(0, 0, 5, 5), SCORES, "sad", QUALITY)


@pytest.mark.parametrize(
    ("name", "value"),
    [("detection_score", math.nan), ("detection_score", 1.5), ("detection_score", "1"), ("track_id", 1.5)],
)
def test_a_face_is_checked_when_made(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=name.replace("_", " ")):
        Face(**{"box": FACE.box, "scores": SCORES, "emotion": None, "quality": QUALITY, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", -1),
        ("size", None),
        ("sharpness", math.nan),
        ("sharpness", -1.0),
        ("brightness", 256.0),
        ("brightness", "5"),
        ("reasons", (1,)),
    ],
)
def test_quality_is_checked_when_made(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=name.removesuffix("s")):
        Quality(**{"size": 5, "sharpness": 1.0, "brightness": 1.0, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("height", 0.5),
        ("width", None),
        ("elapsed_s", math.nan),
        ("elapsed_s", 10**400),
        ("elapsed_s", -1.0),
        ("detector", None),
        ("options", 5),
        ("source", 5),
    ],
)
def test_an_analysis_is_checked_when_made(name: str, value: Any) -> None:
    values = {field: getattr(ANALYSIS, field) for field in ANALYSIS.__dataclass_fields__}

    with pytest.raises(OptionError, match=name):
        ImageAnalysis(**{**values, name: value})


def every_record() -> list[tuple[str, ...]]:
    """Paths to every nested record of an analysis, the analysis itself first."""
    face = ("faces",)
    return [(), face, (*face, "box"), (*face, "quality"), (*face, "quality", "pose"), ("model",)]


def nested(data: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        data = data[key][0] if key == "faces" else data[key]
    return data


@pytest.mark.parametrize("path", every_record(), ids="-".join)
def test_a_record_with_a_missing_or_unknown_field_is_a_clear_error(path: tuple[str, ...]) -> None:
    for name in list(nested(ANALYSIS.to_dict(), path)):
        if name in ("top", "confidence"):
            continue
        data = ANALYSIS.to_dict()
        del nested(data, path)[name]
        with pytest.raises(OptionError, match=f"lacks {name}"):
            ImageAnalysis.from_dict(data)

    data = ANALYSIS.to_dict()
    nested(data, path)["surplus"] = 1
    with pytest.raises(OptionError, match="unknown fields: surplus"):
        ImageAnalysis.from_dict(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(path=st.sampled_from(every_record()), value=json_values, at=st.data())
def test_no_wrong_value_in_a_record_gets_past_as_another_error(
    path: tuple[str, ...], value: Any, at: st.DataObject
) -> None:
    data = ANALYSIS.to_dict()
    record = nested(data, path)
    record[at.draw(st.sampled_from(sorted(record)))] = value

    try:
        analysis = ImageAnalysis.from_dict(data)
    except OptionError:
        return
    assert ImageAnalysis.from_dict(json.loads(json.dumps(analysis.to_dict()))) == analysis


def test_a_record_without_the_derived_fields_can_be_read() -> None:
    data = ANALYSIS.to_dict()
    del data["faces"][0]["top"], data["faces"][0]["confidence"]

    assert ImageAnalysis.from_dict(data) == ANALYSIS

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core.errors import CardError
from mien.testing import fake_card
from mien.zoo.card import Card, Metric

FULL = replace(
    fake_card(),
    temperature=1.3,
    threshold=0.4,
    parameters=2_700_000,
    training={"epochs": 40, "data": {"name": "FER2013"}},
    metrics=(Metric("accuracy", 0.69, "test", "one pass", 0.68, 0.7),),
    confusion=((1, 2), (3, 4)),
    sha256="a" * 64,
)


def test_json_keeps_everything() -> None:
    assert Card.from_json(FULL.to_json()) == FULL
    assert FULL.without_digest() == replace(FULL, sha256=None)
    assert FULL.metric("accuracy") == FULL.metrics[0]
    assert FULL.metric("other") is None


def test_a_short_card_is_enough() -> None:
    reads = {"width": 48, "height": 48, "colour": "gray", "mean": 0.5, "std": 0.25}
    card = Card.from_dict({"name": "short", "labels": ["yes", "no"], "input": reads})
    assert card.temperature == 1.0
    assert len(card.template) == 5
    assert card.input.channels == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ["one"]}, "two or more"),
        ({"labels": ["a", "a"]}, "different"),
        ({"labels": ["a", ""]}, "names"),
        ({"labels": "ab"}, "list"),
        ({"labels": None}, "malformed"),
        ({"input": {"width": 48}}, "malformed"),
        ({"template": [[0, 0]]}, "five points"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"temperature": "1"}, "malformed"),
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"task": "dogs"}, "task"),
        ({"schema": 2}, "schema 2"),
        ({"surprise": 1}, "unknown fields: surprise"),
        ({"licence": 5}, "licence 5"),
        ({"name": None}, "name None"),
        ({"parameters": "many"}, "parameters"),
        ({"training": []}, "training"),
        ({"sha256": 5}, "sha256"),
        ({"metrics": [{"name": "accuracy"}]}, "malformed"),
        ({"metrics": [{"name": "a", "value": "high", "data": "", "protocol": ""}]}, "value 'high'"),
        ({"confusion": [["x"]]}, "malformed"),
    ],
)
def test_a_malformed_card_says_what_is_wrong(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CardError, match=words):
        Card.from_dict({**FULL.to_dict(), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 0},
        {"height": 10**9},
        {"width": 4.5},
        {"colour": "cmyk"},
        {"std": 0},
        {"std": float("nan")},
        {"mean": float("inf")},
    ],
)
def test_an_impossible_input(changes: dict[str, Any]) -> None:
    data = FULL.to_dict()
    with pytest.raises(CardError, match=r"card (input|mean)"):
        Card.from_dict({**data, "input": {**data["input"], **changes}})


@pytest.mark.parametrize("missing", ["name", "labels", "input"])
def test_what_a_card_needs(missing: str) -> None:
    data = FULL.to_dict()
    del data[missing]
    with pytest.raises(CardError, match=f"lacks {missing}"):
        Card.from_dict(data)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", "[" * 100_000])
def test_what_is_no_card(text: str) -> None:
    with pytest.raises(CardError):
        Card.from_json(text)


def test_a_card_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="missing"):
        Card.read(tmp_path / "nowhere.json")
    with pytest.raises(CardError, match="cannot be read"):
        Card.read(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(CardError, match="cannot be read"):
        Card.read(tmp_path / "bytes.json")
    (tmp_path / "half.json").write_text('{"name":')
    with pytest.raises(CardError, match=r"half\.json.*is not JSON"):
        Card.read(tmp_path / "half.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(FULL.to_dict())), json_values)
def test_any_value_in_any_field_is_a_card_or_a_card_error(name: str, value: Any) -> None:
    try:
        card = Card.from_json(json.dumps({**FULL.to_dict(), name: value}))
    except CardError:
        return
    assert Card.from_json(card.to_json()) == card

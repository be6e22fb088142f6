from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core import option_table
from mien.core.errors import OptionError
from mien.core.options import DETECTORS, AnalysisOptions

fractions = st.none() | st.floats(0, 1)
options = st.builds(
    AnalysisOptions,
    detector=st.sampled_from(DETECTORS),
    detection_side=st.integers(64, 8192),
    detection_threshold=fractions,
    min_face=st.integers(1, 100_000),
    rotate=st.booleans(),
    clahe=st.booleans(),
    tta=st.booleans(),
    median=st.sampled_from([0, 1, 3, 5, 7, 9]),
    threshold=fractions,
)


@given(options)
def test_round_trip_keeps_options_and_digest(made: AnalysisOptions) -> None:
    copy = AnalysisOptions.from_dict(json.loads(json.dumps(made.to_dict())))

    assert copy == made
    assert copy.digest() == made.digest()


@given(options, options)
def test_digests_differ_exactly_where_options_do(one: AnalysisOptions, other: AnalysisOptions) -> None:
    assert (one.digest() == other.digest()) == (one == other)


def test_the_digest_is_sixteen_digits_and_does_not_see_the_number_type() -> None:
    plain = AnalysisOptions(threshold=1.0, detection_side=640)
    other = AnalysisOptions(threshold=1, detection_side=np.int64(640))  # type: ignore[arg-type]

    assert len(plain.digest()) == 16
    assert int(plain.digest(), 16) >= 0
    assert other.digest() == plain.digest()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("detection_side", None),
        ("detection_side", "640"),
        ("detection_side", 640.5),
        ("detection_side", True),
        ("detection_side", math.nan),
        ("detection_side", math.inf),
        ("detection_side", 63),
        ("detection_side", 8193),
        ("min_face", 0),
        ("max_faces", 0),
        ("max_pixels", 0),
        ("max_pixels", [1]),
        ("rotate", 1),
        ("rotate", None),
        ("rotate", "yes"),
        ("clahe", 0.0),
        ("median", -1),
        ("median", 11),
        ("median", False),
        ("threshold", math.nan),
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("threshold", "0.5"),
        ("threshold", True),
        ("detection_threshold", math.inf),
        ("detector", None),
        ("detector", "retina"),
        ("detector", ["haar"]),
        ("detector", np.array(["haar", "yunet"])),
    ],
)
def test_a_wrong_value_names_the_option(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=name):
        AnalysisOptions(**{name: value})


@pytest.mark.parametrize("size", [2, 4, 6, 8])
def test_an_even_median_is_refused(size: int) -> None:
    with pytest.raises(OptionError, match=f"odd number, not {size}"):
        AnalysisOptions(median=size)


def test_an_unknown_option_names_itself_and_the_choices() -> None:
    with pytest.raises(OptionError, match=r"'?colour'?.*detector, detection_side"):
        AnalysisOptions.from_dict({"colour": "red"})


def test_missing_options_have_their_default() -> None:
    assert AnalysisOptions.from_dict({}) == AnalysisOptions()


def test_every_option_explains_itself() -> None:
    for option in fields(AnalysisOptions):
        assert option.metadata["help"].endswith("."), option.name


@dataclass(frozen=True)
class Texts:
    free: str = option_table.option("", "Any text.")
    shaped: str = option_table.option(
        "auto", "A name or a number.", choices=("auto",), form=("NUMBER", r"[0-9]+")
    )

    def __post_init__(self) -> None:
        option_table.check_fields(self)


def test_a_text_is_free_or_a_choice_or_of_a_form() -> None:
    assert Texts(free="x y", shaped="12") == Texts("x y", "12")
    with pytest.raises(OptionError, match="free has to be a text, not 3"):
        Texts(free=3)  # type: ignore[arg-type]
    for wrong in ("other", "1x", "12\n", 12, None):
        with pytest.raises(OptionError, match=r"unknown shaped .*; choose one of auto or write NUMBER"):
            Texts(shaped=wrong)  # type: ignore[arg-type]

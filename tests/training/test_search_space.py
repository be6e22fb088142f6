"""What a search may try: written by people, checked against the options' own limits. Needs no PyTorch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core.errors import OptionError
from mien.training.config import TrainingConfig
from mien.training.search_space import Choices, Range, check_space, default_space, parse_search

BASE = TrainingConfig()


def test_ranges_and_choices_are_read_as_their_options_types() -> None:
    assert parse_search(
        ["learning_rate=1e-4..1e-1:log", "batch-size = 32, 64,128", "epochs=2..9", "flip=true,off"], BASE
    ) == (
        Range("learning_rate", 1e-4, 0.1, log=True),
        Choices("batch_size", (32, 64, 128)),
        Range("epochs", 2, 9),
        Choices("flip", (True, False)),
    )
    assert parse_search(["architecture=r5,own.nets:Small"], BASE)[0].holds("own.nets:Small")


@given(st.floats(1e-6, 0.4), st.floats(0.5, 1.0), st.booleans())
def test_what_a_range_says_of_itself_is_read_as_the_same(low: float, high: float, log: bool) -> None:
    low, high = float(f"{low:g}"), float(f"{high:g}")
    written = Range("light", low, high, log)
    assert parse_search([str(written)], BASE) == (written,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("learning_rate", "is no search; write OPTION=LOW..HIGH"),
        ("learning_rate=", "is no search"),
        ("learn=1..2", "unknown option 'learn' to search; choose from architecture, "),
        ("seed=1..9", "seed judges the trials"),
        ("monitor=loss,accuracy", "monitor judges the trials"),
        ("rotation=0..181", "rotation has to be between 0 and 180, not 181"),
        ("rotation=20..10", "rotation goes from 20 to 10"),
        ("rotation=0..10:log", "has no logarithm"),
        ("rotation=1..10:exp", "unknown scale 'exp'"),
        ("rotation=ten..20", "rotation has to be a number, not 'ten'"),
        ("rotation=nan..20", "rotation"),
        ("rotation=1..2..3", "not '2..3'"),
        ("batch_size=32,64.5", "batch_size has to be a whole number, not '64.5'"),
        ("batch_size=32", "needs 2 to 100 different values"),
        ("batch_size=32,32", "needs 2 to 100 different values"),
        ("batch_size=1,2", "batch_size has to be between 2"),
        ("flip=yes,no", "flip has to be true or false"),
        ("optimizer=sgd..adam", "optimizer has no range"),
        ("optimizer=sgd,magic", "unknown optimizer 'magic'"),
    ],
)
def test_a_wrong_search_says_why(text: str, says: str) -> None:
    with pytest.raises(OptionError) as error:
        parse_search([text], BASE)
    assert says in str(error.value)


def test_an_option_is_searched_once() -> None:
    with pytest.raises(OptionError, match="light is searched twice"):
        parse_search(["light=0..0.1", "light=0.2,0.3"], BASE)


def test_the_default_space_holds_its_recipe_and_leaves_alone_what_is_given() -> None:
    space = default_space(BASE, 1000, fixed=("rotation", "epochs"))
    assert "rotation" not in {dimension.name for dimension in space}
    assert all(dimension.holds(getattr(BASE, dimension.name)) for dimension in space)
    assert parse_search([str(dimension) for dimension in space], BASE) == space
    assert Choices("batch_size", (32, 64)) in default_space(BASE, 100)
    assert all(dimension.name != "batch_size" for dimension in default_space(BASE, 40))


def test_batches_larger_than_the_data_and_empty_spaces_are_refused() -> None:
    with pytest.raises(OptionError, match="batch_size cannot be 64: there are 50 faces"):
        check_space(parse_search(["batch_size=32,64"], BASE), 50)
    with pytest.raises(OptionError, match="nothing is left to search"):
        check_space((), 50)


@given(st.floats(1e-6, 1.0), st.floats(0.0, 1.0))
def test_drawn_numbers_are_short_and_stay_in_their_range(low: float, share: float) -> None:
    high = low + 0.5
    drawn = min(low + share * 0.5, high)
    written = Range("momentum", low, high).readable(drawn)
    assert low <= written <= high
    assert written == pytest.approx(drawn, rel=1e-3)
    assert written in (low, high) or written == float(f"{written:.4g}")
    assert Range("epochs", 1, 90_000).readable(54_321) == 54_321

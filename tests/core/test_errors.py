import pickle

import pytest

from mien.core import errors

ALL = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, Exception)]


def test_everything_is_a_mien_error() -> None:
    assert len(ALL) > 5
    assert all(issubclass(error, errors.MienError) for error in ALL)


def test_a_wrong_option_is_also_a_value_error() -> None:
    assert issubclass(errors.OptionError, ValueError)


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert str(errors.MissingExtraError("pandas", "records")) == (
        "pandas is not installed; install it with: pip install 'mien[records]'"
    )


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_errors_survive_the_way_back_from_a_worker_process(kind: type[Exception]) -> None:
    error = kind("torch", "train") if kind is errors.MissingExtraError else kind("what was wrong")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert str(copy) == str(error)

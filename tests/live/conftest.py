"""A camera for each test, and no thread left after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_support import Gated, live_threads


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert live_threads() == []


@pytest.fixture
def camera() -> Iterator[Gated]:
    capture = Gated()
    yield capture
    assert capture.released

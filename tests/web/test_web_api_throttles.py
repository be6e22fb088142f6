"""Rates: the sliding minute, and that all server processes count together."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server_support import serving

from mien.web.api.models import Rate
from mien.web.api.throttles import of_address, take

pytestmark = pytest.mark.django_db


def test_as_many_as_the_limit_and_no_more() -> None:
    waits = [take("x", 5, now=1000.0) for _ in range(7)]
    assert waits[:5] == [0.0] * 5
    assert all(wait > 0 for wait in waits[5:])
    assert take("y", 5, now=1000.0) == 0.0


def test_who_waits_as_long_as_told_goes_on() -> None:
    for _ in range(5):
        take("x", 5, now=1000.0)
    for now in (1010.0, 1065.0, 1100.0):
        while not (wait := take("x", 5, now=now)):
            pass
        assert take("x", 5, now=now + wait - 0.1) > 0
        assert take("x", 5, now=now + wait + 0.01) == 0.0


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.floats(0, 20), min_size=10, max_size=60), st.integers(1, 6))
def test_steady_callers_never_get_much_more_than_the_limit_in_a_minute(gaps, limit) -> None:
    Rate.objects.all().delete()
    now, allowed = 1000.0, []
    for gap in gaps:
        now += gap
        if take("x", limit, now=now) == 0.0:
            allowed.append(now)
    for start in allowed:
        assert sum(start <= moment < start + 60 for moment in allowed) < 2 * limit + 1


def test_a_clock_that_is_put_back_locks_nobody_out() -> None:
    for _ in range(3):
        take("x", 3, now=5000.0)
    assert take("x", 3, now=1000.0) == 0.0


def test_who_waited_for_the_row_begins_no_new_minute() -> None:
    assert [take("x", 3, now=1000.0 - n / 10) for n in range(3)] == [0.0] * 3
    assert take("x", 3, now=999.5) > 0


def test_those_who_call_no_more_are_forgotten() -> None:
    take("old", 3, now=1000.0)
    take("new", 3, now=2000.0)
    assert list(Rate.objects.values_list("subject", flat=True)) == ["new"]


def test_addresses_cannot_be_read_back_and_a_network_is_one_visitor() -> None:
    assert "10.0.0.1" not in of_address("detect", "10.0.0.1")
    assert of_address("detect", "10.0.0.1") != of_address("detect", "10.0.0.2")
    assert of_address("detect", "2001:db8::1") == of_address("detect", "2001:db8::ffff")
    assert of_address("detect", "2001:db8::1") != of_address("detect", "2001:db8:0:1::1")
    assert of_address("detect", "") == of_address("detect", "")


def test_two_server_processes_count_together(tmp_path) -> None:
    with serving(tmp_path, "--workers", "2", MIEN_DETECT_PER_MINUTE="10") as server:

        def call(_number: int) -> tuple[int, str]:
            request = urllib.request.Request(server.address + "/detect", method="POST", data=b"")
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, ""
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read())["error"]

        with ThreadPoolExecutor(8) as pool:
            answers = Counter(status for status, _error in pool.map(call, range(40)))
    assert answers == {400: 10, 429: 30}

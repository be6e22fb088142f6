"""MIEN_REQUIRE turns a skip for a promised component into a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent.parent / "conftest.py"

SKIPPED_TEST = """
    import pytest

    def test_one():
        pytest.skip("needs the folder shared beside the checkout")
"""
SKIPPED_FIXTURE = """
    def test_one(shared):
        pass
"""
SKIPPED_MARK = """
    import pytest

    @pytest.mark.skipif(True, reason="needs shared")
    def test_one():
        pass
"""
SKIPPED_MODULE = """
    import pytest

    pytest.importorskip("no_such_package", reason="needs shared")
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))

    def run(text: str, require: str | None) -> dict[str, int]:
        if require is None:
            monkeypatch.delenv("MIEN_REQUIRE", raising=False)
        else:
            monkeypatch.setenv("MIEN_REQUIRE", require)
        pytester.makepyfile(test_planted=text)
        # These plugins cannot run inside a test of their own.
        return pytester.runpytest_inprocess(
            "-p", "no:cacheprovider", "-p", "no:playwright", "-p", "no:django"
        ).parseoutcomes()

    return run


@pytest.mark.parametrize("text", [SKIPPED_TEST, SKIPPED_FIXTURE, SKIPPED_MARK, SKIPPED_MODULE])
def test_a_skip_for_a_promised_component_fails(run, text: str) -> None:
    outcomes = run(text, "camera,shared")
    assert "skipped" not in outcomes
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 1


@pytest.mark.parametrize("require", [None, "", "camera", "share", "shared-films"])
def test_any_other_skip_stays_a_skip(run, require: str | None) -> None:
    assert run(SKIPPED_TEST, require) == {"skipped": 1}


def test_an_expected_failure_is_no_skip(run) -> None:
    text = """
        import pytest

        @pytest.mark.xfail(reason="shared")
        def test_one():
            assert False
    """
    assert run(text, "shared") == {"xfailed": 1}

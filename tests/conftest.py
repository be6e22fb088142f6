"""What every test may use: the shared folder, and components that must not be missing.

MIEN_REQUIRE names components, separated by commas (`MIEN_REQUIRE=shared`). A skip whose reason
names one of them becomes a failure: where a component is promised, its tests cannot quietly not run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ("pytester",)

REPOSITORY = Path(__file__).resolve().parent.parent

# A busy machine is no failure: how long an example takes is for the benchmarks to judge.
settings.register_profile("mien", deadline=None)
settings.load_profile("mien")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Data, models and films too large for the repository; they lie beside the checkout."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder shared beside the checkout")
    return folder


def required_component(reason: str) -> str | None:
    """The first component in MIEN_REQUIRE that the reason names as a whole word."""
    for name in re.split(r"[,\s]+", os.environ.get("MIEN_REQUIRE", "")):
        if name and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", reason):
            return name
    return None


def _fail_if_required(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    component = required_component(reason)
    if component is not None:
        report.outcome = "failed"
        report.longrepr = f"MIEN_REQUIRE names {component}, so this may not be skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_required(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_required(report)
    return report

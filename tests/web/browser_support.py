"""Chromium, driven by Playwright, against a server in this process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "axe" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Where the system's Chromium is."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass
class Watch:
    """What went wrong in a page, or went elsewhere."""

    home: str
    wrong: list[str] = field(default_factory=list)

    def on(self, page: Any) -> None:
        """Look at everything that the page asks for and says."""
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.wrong.append(f"asks elsewhere: {request.url}")

    def _console(self, message: Any) -> None:
        # an answer of 4xx is something that a test may want
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")


def faults(page: Any) -> list[str]:
    """What axe-core finds seriously wrong in a page for people with disabilities (WCAG 2.2, A and AA)."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],"
        # its copies of style sheets would be inline styles, which the pages forbid
        " preload: false})"
    )
    return [
        f"{entry['impact']}: {entry['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for entry in found["violations"]
        if entry["impact"] in ("serious", "critical")
        for node in entry["nodes"]
    ]


def scrolls_sideways(page: Any) -> bool:
    """Whether something is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))

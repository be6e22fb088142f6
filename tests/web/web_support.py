"""What the tests of the web product share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SAMPLES = Path(__file__).resolve().parents[2] / "src" / "mien" / "samples"
FACE = SAMPLES / "eileen-collins.jpg"
NO_FACE = SAMPLES / "rocket-launch.jpg"
PASSWORD = "a quiet harbour 7"
# The extra, and what its tests are driven by; without them this folder is not collected.
HAS_WEB = all(importlib.util.find_spec(name) for name in ("django", "pytest_django", "pytest_playwright"))


class Found(NamedTuple):
    """One route: its full name, its pattern and the view behind it."""

    name: str
    arguments: tuple[str, ...]
    view: object


def routes(
    patterns: object = None, spaces: tuple[str, ...] = (), above: tuple[str, ...] = ()
) -> Iterator[Found]:
    """Every route of the product, also those of packages."""
    from django.urls import get_resolver
    from django.urls.resolvers import URLResolver

    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        arguments = (*above, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from routes(pattern.url_patterns, inner, arguments)
        else:
            yield Found(":".join((*spaces, pattern.name or "")), arguments, pattern.callback)

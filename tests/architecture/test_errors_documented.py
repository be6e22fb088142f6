"""The tree drawn at the top of core/errors.py is the tree of the classes."""

from __future__ import annotations

import inspect
import re

from mien.core import errors


def drawn_tree() -> dict[str, str | None]:
    """Each class in the drawing, with the class above it."""
    parents: dict[str, str | None] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([│├└─ ]*)(\w+Error)\b", line)
        if not match:
            continue
        depth = len(match[1])
        while path and path[-1][0] >= depth:
            path.pop()
        parents[match[2]] = path[-1][1] if path else None
        path.append((depth, match[2]))
    return parents


def test_the_drawing_names_each_class_under_its_parent() -> None:
    classes = {
        name: None if cls is errors.MienError else cls.__bases__[0].__name__
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if cls.__module__ == errors.__name__
    }
    assert drawn_tree() == classes


def test_every_error_is_documented_and_a_mien_error() -> None:
    for name in drawn_tree():
        error = getattr(errors, name)
        assert issubclass(error, errors.MienError)
        assert error.__doc__

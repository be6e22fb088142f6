"""Views of one object: its owner gets it, for everyone else it does not exist, whatever they ask."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404

READ = ("GET", "HEAD")


def owned(
    model: Any, methods: tuple[str, ...] = READ
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Return a decorator that gives a view the object of its address.

    Args:
        model: of the object, with `objects.of(user)`; the address has its `uid`.
        methods: of HTTP that the view takes.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def found(request: HttpRequest, **address: Any) -> HttpResponseBase:
            (uid,) = address.values()
            row = get_object_or_404(model.objects.of(request.user), uid=uid)
            return view(request, row) if request.method in methods else HttpResponseNotAllowed(methods)

        return found

    return decorate

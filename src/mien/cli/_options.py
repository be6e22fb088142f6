"""Command-line options made from the one table of `AnalysisOptions`."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Annotated, Any

import typer

from mien.core.options import AnalysisOptions

PANEL = "What can change a result"


def with_analysis_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the parameter `options` of a command by one option for each field of `AnalysisOptions`."""
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "options"]
    hints = typing.get_type_hints(AnalysisOptions)
    made = [_parameter(option, hints[option.name]) for option in fields(AnalysisOptions)]

    @functools.wraps(command)
    def expanded(**values: Any) -> None:
        chosen = {parameter.name: values.pop(parameter.name) for parameter in made}
        command(**values, options=AnalysisOptions(**chosen))

    expanded.__signature__ = signature.replace(parameters=[*own, *made])  # type: ignore[attr-defined]
    return expanded


def _parameter(option: Field[Any], kind: Any) -> inspect.Parameter:
    choices = option.metadata["choices"]
    settings: dict[str, Any] = {"help": option.metadata["help"], "rich_help_panel": PANEL}
    if choices is not None:
        # The value itself is checked by AnalysisOptions, in the same words as everywhere.
        settings |= {"metavar": "|".join(choices), "autocompletion": lambda: list(choices)}
    elif option.metadata["low"] is not None:
        low, high = option.metadata["low"], option.metadata["high"]
        settings |= {"min": low, "max": high}
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=option.default,
        annotation=Annotated[kind, typer.Option(**settings)],
    )

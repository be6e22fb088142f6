"""Command-line options made from a table of options, such as `AnalysisOptions`."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Annotated, Any

import typer


def with_options(
    table: type, parameter: str = "options", panel: str = "What can change a result"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a parameter of a command by one option for each field of `table`, a dataclass of options."""
    return functools.partial(_expand, table=table, name=parameter, panel=panel)


def _expand(command: Callable[..., None], *, table: type, name: str, panel: str) -> Callable[..., None]:
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != name]
    hints = typing.get_type_hints(table)
    made = [_parameter(option, hints[option.name], panel) for option in fields(table)]

    @functools.wraps(command)
    def expanded(**values: Any) -> None:
        chosen = {parameter.name: values.pop(parameter.name) for parameter in made}
        command(**values, **{name: table(**chosen)})

    expanded.__signature__ = signature.replace(parameters=[*own, *made])  # type: ignore[attr-defined]
    return expanded


def _parameter(option: Field[Any], kind: Any, panel: str) -> inspect.Parameter:
    choices = option.metadata["choices"]
    settings: dict[str, Any] = {"help": option.metadata["help"], "rich_help_panel": panel}
    if choices is not None:
        # The value itself is checked by the table, in the same words as everywhere.
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

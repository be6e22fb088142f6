"""Command-line options made from a table of options, such as `AnalysisOptions`."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Annotated, Any

import typer

# Shorter names, beside the one that follows from the field.
_ALIASES = {"architecture": ("--architecture", "--arch")}


def with_options(
    table: type,
    parameter: str = "options",
    panel: str = "What can change a result",
    *,
    given: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a parameter of a command by one option for each field of a dataclass of options.

    Args:
        table: the dataclass.
        parameter: of the command; it receives an instance of `table`.
        panel: heading of the options in the help.
        given: pass a dictionary of the options that were given instead, for a command that has other
            sources of values beneath them.
        defaults: with `given`, what the help names as defaults in place of the table's.
    """
    stated = {option.name: option.default for option in fields(table)} | dict(defaults or {})
    return functools.partial(_expand, table=table, name=parameter, panel=panel, given=given, stated=stated)


def _expand(
    command: Callable[..., None],
    *,
    table: type,
    name: str,
    panel: str,
    given: bool,
    stated: Mapping[str, Any],
) -> Callable[..., None]:
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != name]
    hints = typing.get_type_hints(table)
    made = [
        _parameter(option, hints[option.name], panel, given, stated[option.name]) for option in fields(table)
    ]

    @functools.wraps(command)
    def expanded(**values: Any) -> None:
        chosen = {parameter.name: values.pop(parameter.name) for parameter in made}
        if given:
            only = {option: value for option, value in chosen.items() if value is not None}
            command(**values, **{name: only})
        else:
            command(**values, **{name: table(**chosen)})

    expanded.__signature__ = signature.replace(parameters=[*own, *made])  # type: ignore[attr-defined]
    return expanded


def _parameter(option: Field[Any], kind: Any, panel: str, given: bool, stated: Any) -> inspect.Parameter:
    choices, form = option.metadata["choices"], option.metadata["form"]
    settings: dict[str, Any] = {"help": option.metadata["help"], "rich_help_panel": panel}
    if choices is not None:
        # The value itself is checked by the table, in the same words as everywhere.
        settings |= {
            "metavar": "|".join([*choices, *(form or ())[:1]]),
            "autocompletion": lambda: list(choices),
        }
    elif option.metadata["low"] is not None:
        low, high = option.metadata["low"], option.metadata["high"]
        settings |= {"min": low, "max": high}
    for alias in _ALIASES.get(option.name, ())[1:]:
        settings["help"] += f" Short: {alias}."  # the column of the names is too narrow for both
    if given:
        settings["help"] += f" (default: {stated})"
        kind = kind | None
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if given else option.default,
        annotation=Annotated[kind, typer.Option(*_ALIASES.get(option.name, ()), **settings)],
    )

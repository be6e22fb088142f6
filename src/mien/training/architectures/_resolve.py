"""From a name, or a path to someone's own class, to a network."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

from torch import nn

from mien.core.errors import OptionError
from mien.training.config import MODULE_PATH

Factory = Callable[..., nn.Module]


def imported(path: str) -> Factory:
    """Return what `package.module:Factory` names.

    Raises:
        OptionError: the path is malformed, the module cannot be imported, or it has no such callable.
    """
    if not re.fullmatch(MODULE_PATH, path):
        raise OptionError(f"{path!r} is no path to a network; write it as package.module:Factory")
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # anyone's module may fail in any way
        raise OptionError(
            f"the module {module_name!r} cannot be imported ({type(error).__name__}: {error}); "
            "it has to be installed, or its folder listed in PYTHONPATH"
        ) from error
    factory = getattr(module, name, None)
    if not callable(factory):
        raise OptionError(f"the module {module_name!r} has no class or function {name!r}")
    return factory  # type: ignore[no-any-return]


def made(architecture: str, factory: Factory, labels: int, options: dict[str, Any]) -> nn.Module:
    """Return the network that `factory` makes.

    Raises:
        OptionError: it does not take these arguments, or makes something else.
    """
    try:
        network = factory(labels, **options)
    except TypeError as error:
        raise OptionError(f"{architecture!r} cannot be made with {labels} labels: {error}") from error
    if not isinstance(network, nn.Module):
        raise OptionError(f"{architecture!r} made a {type(network).__name__}, not a torch.nn.Module")
    return network

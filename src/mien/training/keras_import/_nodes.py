"""One layer or operation of a description, in the forms of Keras 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

# Operations on a tensor and a number, as Keras 3 and Keras 2 name them.
_DIVIDE = ("TrueDivide", "Divide", "math.truediv", "__operators__.truediv", "math.divide", "truediv")
_MULTIPLY = ("Multiply", "math.multiply", "__operators__.mul")
_SUBTRACT = ("Subtract", "math.subtract", "__operators__.sub")
_ADD = ("Add", "math.add", "__operators__.add")
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Node:
    """A layer: its class, its name, its own description, and what it reads (None in sequential models)."""

    kind: str
    name: str
    config: Mapping[str, Any]
    inbound: Any

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Node:
        """Make a node of an entry of a description; raises KeyError or TypeError where it is none."""
        config = entry.get("config")
        config = config if isinstance(config, Mapping) else {}
        name = entry.get("name") or config.get("name") or entry["class_name"]
        if not isinstance(entry["class_name"], str) or not isinstance(name, str):
            raise TypeError("a layer without a class or a name")
        if max(len(entry["class_name"]), len(name)) > _LONGEST:
            raise ValueError(f"a layer whose name has more than {_LONGEST} letters")
        return cls(entry["class_name"], name, config, entry.get("inbound_nodes"))


def sources_of(node: Node) -> list[str] | None:
    """Return the names of the layers that a node reads; None in a sequential model, which has one way.

    Raises:
        ValueError: it is used more than once.
    """
    if node.inbound is None:
        return None
    calls = list(node.inbound)
    if not calls:
        return None if node.kind == "InputLayer" else []
    if len(calls) > 1:
        raise ValueError(f"layer {node.name!r} is used {len(calls)} times")
    return list(_names(calls[0]))


def _names(call: Any) -> list[str]:
    """Find the tensors among the arguments: Keras 3 marks them, Keras 2 writes [name, node, tensor, …]."""
    if isinstance(call, Mapping):
        if call.get("class_name") == "__keras_tensor__":
            return [str(call["config"]["keras_history"][0])]
        return [name for value in (call.get("args", ()), *_values(call)) for name in _names(value)]
    if not isinstance(call, list | tuple):
        return []
    if len(call) >= 3 and isinstance(call[0], str) and all(isinstance(n, int) for n in call[1:3]):
        return [call[0], *(name for value in call[3:] for name in _names(value))]
    return [name for value in call for name in _names(value)]


def _values(call: Mapping[str, Any]) -> list[Any]:
    kwargs = call.get("kwargs")
    return list(kwargs.values()) if isinstance(kwargs, Mapping) else []


def constant_of(node: Node) -> tuple[float, float] | None:
    """Return scale and offset of a node that does `scale * x + offset`; None where it does otherwise."""
    if node.kind == "Rescaling":
        scale, offset = node.config.get("scale"), node.config.get("offset", 0.0)
        return (float(scale), float(offset)) if _plain(scale) and _plain(offset) else None
    function = node.config.get("function") if node.kind in ("TFOpLambda", "SlicingOpLambda") else node.kind
    value = _number(node.inbound)
    if value is None or not isinstance(function, str):
        return None
    if function in _DIVIDE and value:
        return 1 / value, 0.0
    if function in _MULTIPLY:
        return value, 0.0
    if function in _SUBTRACT:
        return 1.0, -value
    return (1.0, value) if function in _ADD else None


def _number(inbound: Any) -> float | None:
    """Return the one number of a call: Keras 3 has it among `args`, Keras 2 as `y` after the tensor."""
    if not isinstance(inbound, list) or len(inbound) != 1:
        return None
    call = inbound[0]
    if isinstance(call, Mapping):
        arguments = call.get("args", [])
        value = arguments[1] if len(arguments) == 2 and isinstance(arguments[0], Mapping) else None
    else:
        call = call[0] if len(call) == 1 and isinstance(call[0], list) else call
        options = call[3] if len(call) == 4 and isinstance(call[3], Mapping) else {}
        value = options.get("y")
    return float(value) if _plain(value) else None


def _plain(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)

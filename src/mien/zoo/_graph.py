"""The graph inside an ONNX file: read, and written anew, with the wire format alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien.zoo import _wire

# Field numbers of onnx.proto.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_NAME, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 2, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 3, 4, 5
_ATTRIBUTE_GRAPHS = (6, 11)
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_VALUE_NAME, _VALUE_TYPE = 1, 2
FLOAT, UINT8, INT8, INT64 = 1, 2, 3, 7


@dataclass(slots=True)
class Node:
    """One operation: its names in the file, and the bytes that say all of it.

    Attributes:
        name: empty where the file gives none.
        operator: such as "Conv".
        inputs, outputs: names of what it reads and makes; an optional one that is left out is "".
        content: the encoded node.
        nested: whether it has graphs of its own, which may read anything by name.
    """

    name: str = ""
    operator: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    content: bytes | memoryview = b""
    nested: bool = False


@dataclass(slots=True)
class Tensor:
    """Stored numbers: `size` counts the trained ones; 64-bit integers are shapes and count as none."""

    kind: int
    size: int
    content: bytes | memoryview


@dataclass(slots=True)
class Graph:
    """What an ONNX file computes, in the order it runs."""

    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    output_values: list[bytes] = field(default_factory=list)


def read_graph(content: bytes) -> Graph:
    """Return the graph of an ONNX file.

    Raises:
        WireError: the content is no ONNX file, or one without operations.
    """
    graph = Graph()
    for number, value in _wire.read(content):
        if number == MODEL_GRAPH:
            for inner, item in _wire.read(_wire.part(value)):
                _read_field(graph, inner, item)
    if not graph.nodes:
        raise _wire.WireError("it holds no operations")
    return graph


def _read_field(graph: Graph, number: int, value: int | memoryview) -> None:
    if number == GRAPH_NODE:
        graph.nodes.append(_read_node(_wire.part(value)))
    elif number == GRAPH_INITIALIZER:
        name, tensor = _read_tensor(_wire.part(value))
        graph.tensors[name] = tensor
    elif number == GRAPH_INPUT:
        graph.inputs += _value_names(value)
    elif number == GRAPH_OUTPUT:
        graph.outputs += _value_names(value)
        graph.output_values.append(bytes(_wire.part(value)))


def _value_names(value: int | memoryview) -> list[str]:
    return [_wire.text(v) for n, v in _wire.read(_wire.part(value)) if n == _VALUE_NAME]


def _read_node(message: memoryview) -> Node:
    node = Node(content=message)
    for number, value in _wire.read(message):
        if number == _NODE_INPUT:
            node.inputs.append(_wire.text(value))
        elif number == _NODE_OUTPUT:
            node.outputs.append(_wire.text(value))
        elif number == _NODE_NAME:
            node.name = _wire.text(value)
        elif number == _NODE_OPERATOR:
            node.operator = _wire.text(value)
        elif number == _NODE_ATTRIBUTE:
            node.nested |= any(n in _ATTRIBUTE_GRAPHS for n, _ in _wire.read(_wire.part(value)))
    return node


def _read_tensor(message: memoryview) -> tuple[str, Tensor]:
    name, kind, dims = "", 0, list[int]()
    for number, value in _wire.read(message):
        if number == _TENSOR_DIMS:
            dims += _wire.numbers(value)
        elif number == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif number == _TENSOR_NAME:
            name = _wire.text(value)
    return name, Tensor(kind, 0 if kind == INT64 else math.prod(dims), message)


def make_node(operator: str, inputs: Sequence[str], output: str) -> Node:
    """Return an operation without attributes, with its encoding."""
    encoded = b"".join(_wire.field(_NODE_INPUT, name) for name in inputs)
    encoded += _wire.field(_NODE_OUTPUT, output) + _wire.field(_NODE_OPERATOR, operator)
    return Node("", operator, list(inputs), [output], encoded)


def encode_tensor(name: str, values: NDArray[np.floating]) -> bytes:
    """Return stored 32-bit floating point numbers."""
    dims = b"".join(_wire.field(_TENSOR_DIMS, size) for size in values.shape)
    return _named_tensor(dims, FLOAT, name, values.astype("<f4").tobytes())


def encode_byte(name: str, kind: int, value: int) -> bytes:
    """Return one stored whole number of 8 bits, `kind` UINT8 or INT8."""
    return _named_tensor(b"", kind, name, bytes([value & 0xFF]))


def _named_tensor(dims: bytes, kind: int, name: str, raw: bytes) -> bytes:
    return (
        dims
        + _wire.field(_TENSOR_TYPE, kind)
        + _wire.field(_TENSOR_NAME, name)
        + _wire.field(_TENSOR_RAW, raw)
    )


def encode_value(name: str, shape: Sequence[int | str]) -> bytes:
    """Return the description of a float32 input or output; a text is a size that is free."""
    dims = b"".join(_wire.field(1, _wire.field(1 if isinstance(size, int) else 2, size)) for size in shape)
    kind = _wire.field(1, _wire.field(1, FLOAT) + _wire.field(2, dims))
    return _wire.field(_VALUE_NAME, name) + _wire.field(_VALUE_TYPE, kind)


def with_outputs(content: bytes, names: Iterable[str]) -> bytes:
    """Return an ONNX file that gives these intermediate results as well.

    Messages of one field are merged by every reader of the format, so a second graph with only the
    further outputs, put behind the file, adds them to the first.
    """
    outputs = b"".join(_wire.field(GRAPH_OUTPUT, _wire.field(_VALUE_NAME, name)) for name in names)
    return content + _wire.field(MODEL_GRAPH, outputs)


def with_graph(content: bytes, graph: bytes) -> bytes:
    """Return an ONNX file with another graph and everything else as it is."""
    kept = b""
    for number, value in _wire.read(content):
        if number != MODEL_GRAPH:
            kept += _wire.field(number, value if isinstance(value, int) else bytes(value))
    return kept + _wire.field(MODEL_GRAPH, graph)

"""The layers of an ONNX network, read from the file itself: no further package is needed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ModelError
from mien.zoo import _wire
from mien.zoo.session import start

# Field numbers of onnx.proto.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_OUTPUT = 1, 5, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _NODE_OPERATOR = 1, 2, 3, 4
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME = 1, 2, 8
_VALUE_NAME = 1
_INT64 = 7


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation of a network.

    Attributes:
        name: of the node, or of its first output where the file names no node.
        operator: ONNX operator, such as "Conv".
        shape: of its first output for the batch that was traced, or None where it could not be found.
        parameters: how many trained numbers it reads; a number shared by several layers counts in the first.
    """

    name: str
    operator: str
    shape: tuple[int, ...] | None
    parameters: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return asdict(self)


@dataclass(slots=True)
class _Node:
    name: str = ""
    operator: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Graph:
    nodes: list[_Node] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


def read_layers(content: bytes, batch: NDArray[np.float32]) -> tuple[Layer, ...]:
    """Return the layers of the network in an ONNX file, in the order they run.

    Constants are not listed; stored weights that are only dequantised count with the layer that uses them.

    Args:
        content: of the ONNX file.
        batch: float32 (N, channels, height, width) to trace the shapes with.

    Raises:
        ModelError: the file is not an ONNX network.
    """
    try:
        graph = _read_graph(content)
    except _wire.WireError as error:
        raise ModelError(f"the layers of the model cannot be read: {error}") from error
    computed = _fold_constants(graph)
    shapes = _trace(content, graph, computed, batch)
    layers, counted = [], set[str]()
    for node in computed:
        fresh = [name for name in dict.fromkeys(node.inputs) if name in graph.sizes and name not in counted]
        counted.update(fresh)
        first = next(filter(None, node.outputs), "")
        parameters = sum(graph.sizes[name] for name in fresh)
        layers.append(Layer(node.name or first, node.operator, shapes.get(first), parameters))
    return tuple(layers)


def _read_graph(content: bytes) -> _Graph:
    graph = _Graph()
    for number, value in _wire.read(content):
        if number == _MODEL_GRAPH:
            for inner, item in _wire.read(_wire.part(value)):
                _read_graph_field(graph, inner, item)
    if not graph.nodes:
        raise _wire.WireError("it holds no operations")
    return graph


def _read_graph_field(graph: _Graph, number: int, value: int | memoryview) -> None:
    if number == _GRAPH_NODE:
        graph.nodes.append(_read_node(_wire.part(value)))
    elif number == _GRAPH_INITIALIZER:
        name, size = _read_tensor(_wire.part(value))
        graph.sizes[name] = size
    elif number == _GRAPH_OUTPUT:
        graph.outputs += [_wire.text(v) for n, v in _wire.read(_wire.part(value)) if n == _VALUE_NAME]


def _read_node(message: memoryview) -> _Node:
    node = _Node()
    for number, value in _wire.read(message):
        if number == _NODE_INPUT:
            node.inputs.append(_wire.text(value))
        elif number == _NODE_OUTPUT:
            node.outputs.append(_wire.text(value))
        elif number == _NODE_NAME:
            node.name = _wire.text(value)
        elif number == _NODE_OPERATOR:
            node.operator = _wire.text(value)
    return node


def _read_tensor(message: memoryview) -> tuple[str, int]:
    """Return a stored tensor's name and how many weights it holds; 64-bit integers are shapes."""
    name, kind, dims = "", 0, list[int]()
    for number, value in _wire.read(message):
        if number == _TENSOR_DIMS:
            dims += _wire.numbers(value)
        elif number == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif number == _TENSOR_NAME:
            name = _wire.text(value)
    return name, 0 if kind == _INT64 else math.prod(dims)


def _fold_constants(graph: _Graph) -> list[_Node]:
    """Return the nodes that compute something; a dequantised weight keeps the size it is stored with."""
    computed = []
    for node in graph.nodes:
        if node.operator == "Constant":
            continue
        if node.operator == "DequantizeLinear" and node.inputs[0] in graph.sizes and node.outputs:
            graph.sizes[node.outputs[0]] = graph.sizes[node.inputs[0]]
            continue
        computed.append(node)
    for node in computed:
        if node.operator in ("QuantizeLinear", "DequantizeLinear"):
            del node.inputs[1:]  # scale and zero point describe the numbers, they are not trained
    return computed


def _trace(
    content: bytes, graph: _Graph, nodes: list[_Node], batch: NDArray[np.float32]
) -> dict[str, tuple[int, ...]]:
    """Run the network once with every intermediate result as an output, and note the shapes.

    A file need not state them. Messages of one field are merged by every reader of the format, so a second
    graph with only the further outputs, put behind the file, adds them to the first.
    """
    wanted = [name for node in nodes for name in node.outputs[:1] if name and name not in graph.outputs]
    outputs = b"".join(_wire.field(_GRAPH_OUTPUT, _wire.field(_VALUE_NAME, name)) for name in wanted)
    extended = content + _wire.field(_MODEL_GRAPH, outputs)
    try:
        session = start(extended, "the model", 1, "cpu", as_written=True)
        results = session.run(None, {session.get_inputs()[0].name: batch})
    except Exception:  # without shapes the list is still of use; ONNX Runtime's errors share no base
        return {}
    names = [output.name for output in session.get_outputs()]
    return {
        name: result.shape
        for name, result in zip(names, results, strict=True)
        if isinstance(result, np.ndarray)
    }

"""The layers of an ONNX network, read from the file itself: no further package is needed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ModelError
from mien.zoo import _wire
from mien.zoo._graph import Graph, Node, read_graph, with_outputs
from mien.zoo.session import start


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
        graph = read_graph(content)
    except _wire.WireError as error:
        raise ModelError(f"the layers of the model cannot be read: {error}") from error
    computed = _fold_constants(graph)
    shapes = _trace(content, graph, computed, batch)
    layers, counted = [], set[str]()
    for node in computed:
        fresh = [name for name in dict.fromkeys(node.inputs) if name in graph.tensors and name not in counted]
        counted.update(fresh)
        first = next(filter(None, node.outputs), "")
        parameters = sum(graph.tensors[name].size for name in fresh)
        layers.append(Layer(node.name or first, node.operator, shapes.get(first), parameters))
    return tuple(layers)


def _fold_constants(graph: Graph) -> list[Node]:
    """Return the nodes that compute something; a dequantised weight keeps the size it is stored with."""
    computed = []
    for node in graph.nodes:
        if node.operator == "Constant":
            continue
        if node.operator == "DequantizeLinear" and node.inputs[0] in graph.tensors and node.outputs:
            graph.tensors[node.outputs[0]] = graph.tensors[node.inputs[0]]
            continue
        computed.append(node)
    for node in computed:
        if node.operator in ("QuantizeLinear", "DequantizeLinear"):
            del node.inputs[1:]  # scale and zero point describe the numbers, they are not trained
    return computed


def _trace(
    content: bytes, graph: Graph, nodes: list[Node], batch: NDArray[np.float32]
) -> dict[str, tuple[int, ...]]:
    """Run the network once with every intermediate result as an output, and note the shapes.

    A file need not state them.
    """
    wanted = [name for node in nodes for name in node.outputs[:1] if name and name not in graph.outputs]
    try:
        session = start(with_outputs(content, wanted), "the model", 1, "cpu", as_written=True)
        results = session.run(None, {session.get_inputs()[0].name: batch})
    except Exception:  # without shapes the list is still of use; ONNX Runtime's errors share no base
        return {}
    names = [output.name for output in session.get_outputs()]
    return {
        name: result.shape
        for name, result in zip(names, results, strict=True)
        if isinstance(result, np.ndarray)
    }

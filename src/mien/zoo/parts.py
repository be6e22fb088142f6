"""A network taken apart: the response of its layers, and the part behind its last feature map.

Works on the ONNX file alone, with ONNX Runtime: layers are read by making them outputs, and the rest of the
network behind one of them is cut off as a file of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ModelError
from mien.zoo import _wire
from mien.zoo._graph import (
    GRAPH_INITIALIZER,
    GRAPH_INPUT,
    GRAPH_NAME,
    GRAPH_NODE,
    GRAPH_OUTPUT,
    INT8,
    UINT8,
    Graph,
    Node,
    encode_byte,
    encode_value,
    make_node,
    read_graph,
    with_graph,
    with_outputs,
)
from mien.zoo.session import is_ort, start

CONVOLUTIONS = ("Conv", "ConvTranspose", "QLinearConv", "ConvInteger")
POOLS = ("MaxPool", "AveragePool", "LpPool", "QLinearAveragePool")
GLOBAL_POOLS = ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "QLinearGlobalAveragePool")
_REDUCTIONS = ("ReduceMean", "ReduceMax", "ReduceSum")
_ROUNDING = ("QuantizeLinear", "DequantizeLinear")
# What belongs to the convolution in front of it: its normalisation and its activation function.
_BEHIND = (
    *(
        "BatchNormalization",
        "InstanceNormalization",
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Elu",
        "Selu",
        "Celu",
        "Gelu",
    ),
    *("Clip", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Softplus", "Mish", "ThresholdedRelu"),
    *_ROUNDING,
)
_MOST_CUTS = 40  # tried before a network counts as one without a last feature map
_BATCH_NUMBERS = 8_000_000  # of one call of the part behind the features: 32 MB


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """The response of one convolution or pooling layer to a picture.

    Attributes:
        name: of the node, or of its output where the file names no node.
        operators: of the layer: the convolution or pool first, then the normalisation and activation
            function right behind it.
        values: float32 (channels, height, width), behind the last of the operators.
    """

    name: str
    operators: tuple[str, ...]
    values: NDArray[np.float32]


class Features:
    """The last feature maps of a network, before any pooling behind them, and the part that reads them.

    Attributes:
        name: of the result in the file.
        values: float32 (channels, height, width), for the picture.
    """

    def __init__(self, name: str, values: NDArray[np.float32], behind: bytes, step: int | None) -> None:
        self.name = name
        self.values = values
        # ONNX Runtime's own optimiser would round what flows into 8-bit weights again.
        what = "the part of the model behind its last feature map"
        self._session = start(behind, what, 1, "cpu", as_written=True)
        self._step = step
        self._input = self._session.get_inputs()[0].name

    def logits(self, maps: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what the network says where it sees `maps`, float32 (N, channels, height, width).

        Returns:
            float64 (N, labels).

        Raises:
            ModelError: the network fails, or gives another form.
        """
        step = self._step or max(1, _BATCH_NUMBERS // max(self.values.size, 1))
        parts = []
        for first in range(0, len(maps), step):
            batch = maps[first : first + step]
            missing = 0 if self._step is None else step - len(batch)
            filled = np.concatenate([batch, np.repeat(batch[:1], missing, axis=0)])
            (logits,) = _run(self._session, {self._input: filled})[:1]
            if not isinstance(logits, np.ndarray) or logits.ndim != 2 or len(logits) != len(filled):
                raise ModelError("the part of the model behind its last feature map gives no logits")
            parts.append(logits[: len(batch)])
        return np.concatenate(parts).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A network taken apart for one picture.

    Attributes:
        responses: of every convolution and pooling layer, in the order they run.
        features: the last feature maps, or None where the network has none that all later layers go through.
    """

    responses: tuple[Response, ...]
    features: Features | None


def take_apart(content: bytes, picture: NDArray[np.float32]) -> Parts:
    """Run the network of an ONNX file once and return its layers' responses and its last feature maps.

    Args:
        content: of the ONNX file. In an int8 network (QDQ) the part behind the features is taken without
            the rounding of what flows through it, and with its limits, so that it has slopes.
        picture: float32 (1, channels, height, width), as the network reads it.

    Raises:
        ModelError: the content is not an ONNX network, or cannot be run.
    """
    if is_ort(content):
        raise ModelError(
            "the model is in ONNX Runtime's format (.ort), which cannot be taken apart; give the .onnx file "
            "that it was made from"
        )
    try:
        graph = read_graph(content)
    except _wire.WireError as error:
        raise ModelError(f"the layers of the model cannot be read: {error}") from error
    step, results = _trace(content, graph, picture)
    responses = tuple(_responses(graph, results))
    if not any(response.operators[0] in CONVOLUTIONS for response in responses):
        return Parts(responses, None)
    found = _last_maps(content, graph, results)
    if found is None:
        return Parts(responses, None)
    name, behind = found
    return Parts(responses, Features(name, results[name][0].astype(np.float32), behind, step))


def _trace(
    content: bytes, graph: Graph, picture: NDArray[np.float32]
) -> tuple[int | None, dict[str, NDArray[Any]]]:
    """Return the batch size that the file asks for, None for any, and every intermediate result."""
    wanted = [name for node in graph.nodes for name in node.outputs[:1] if name and name not in graph.outputs]
    session = start(with_outputs(content, wanted), "the model", 1, "cpu", as_written=True)
    free = session.get_inputs()[0]
    step = free.shape[0] if isinstance(free.shape[0], int) and free.shape[0] > 0 else None
    results = _run(session, {free.name: np.repeat(picture, step or 1, axis=0)})
    names = [output.name for output in session.get_outputs()]
    return step, {n: r for n, r in zip(names, results, strict=True) if isinstance(r, np.ndarray)}


def _run(session: Any, feed: Mapping[str, NDArray[np.float32]]) -> list[Any]:
    try:
        return list(session.run(None, dict(feed)))
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        line = str(error).strip().splitlines()[:1]
        raise ModelError(
            f"the network failed on the picture: {line[0][:300] if line else error!r}"
        ) from error


def _responses(graph: Graph, results: Mapping[str, NDArray[Any]]) -> list[Response]:
    readers: dict[str, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    found = []
    for node in graph.nodes:
        if not _responds(node, results):
            continue
        name, operators = node.outputs[0], [node.operator]
        while node.operator in CONVOLUTIONS and _belongs(readers[name], name, results):
            follower = readers[name][0]
            name = follower.outputs[0]
            if follower.operator not in _ROUNDING:
                operators.append(follower.operator)
        values = np.asarray(results[name][0], np.float32)
        if values.ndim == 1:  # a mean over the picture that keeps no sides
            values = values[:, np.newaxis, np.newaxis]
        found.append(Response(node.name or node.outputs[0], tuple(operators), values))
    return found


def _responds(node: Node, results: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a node is a convolution or a pool, one over the whole picture among them."""
    result = results.get(node.outputs[0]) if node.outputs else None
    if result is None or not np.issubdtype(result.dtype, np.number) or not result.size:
        return False
    if node.operator in (*CONVOLUTIONS, *POOLS, *GLOBAL_POOLS):
        return result.ndim == 4
    source = results.get(node.inputs[0]) if node.inputs else None
    return (
        node.operator in _REDUCTIONS
        and source is not None
        and _is_spatial(source)
        and result.shape in (source.shape[:2], (*source.shape[:2], 1, 1))
    )


def _belongs(readers: list[Node], name: str, results: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the one reader of a result is a part of the layer that made it."""
    if len(readers) != 1 or readers[0].operator not in _BEHIND or readers[0].inputs[0] != name:
        return False
    behind = results.get(readers[0].outputs[0])
    return behind is not None and behind.shape == results[name].shape


def _is_spatial(result: NDArray[Any]) -> bool:
    return result.ndim == 4 and result.shape[2] * result.shape[3] > 1 and result.shape[1] > 0


def _last_maps(content: bytes, graph: Graph, results: Mapping[str, NDArray[Any]]) -> tuple[str, bytes] | None:
    """Return the last maps that all of the rest goes through, and the rest as a file of its own."""
    makers = {name: node for node in graph.nodes for name in node.outputs[:1]}
    spatial = [
        name
        for name in makers
        if name in results and _is_spatial(results[name]) and results[name].dtype == np.float32
    ]
    smooth = _smoothed(graph)
    for name in reversed(spatial[-_MOST_CUTS:]):
        name = _before_pools(name, makers, results)
        nodes = _behind(smooth, graph, name)
        if nodes is not None:
            return name, with_graph(content, _encoded(graph, smooth, nodes, name, results[name].shape))
    return None


def _before_pools(name: str, makers: Mapping[str, Node], results: Mapping[str, NDArray[Any]]) -> str:
    """Go back over the pools, and what only moves numbers about, that made `name`."""
    place = name
    while (node := makers.get(place)) is not None:
        if node.operator in (*POOLS, "Transpose"):
            if not _is_spatial(results.get(node.inputs[0], np.empty(0))):
                break
            name = node.inputs[0]
        elif node.operator not in (*_ROUNDING, "Dropout", "Identity"):
            break
        place = node.inputs[0]
    return name


@dataclass(frozen=True, slots=True)
class _Smooth:
    """The nodes of a graph without rounding, and the stored numbers that this needs."""

    nodes: list[Node]
    tensors: dict[str, bytes]


def _smoothed(graph: Graph) -> _Smooth:
    """Put limits in place of each pair that rounds to 8 bits and back.

    The limits are the ends of the 8-bit range on the pair's scale: a quantiser leaves out an activation
    function that they make superfluous.
    """
    makers = {name: node for node in graph.nodes for name in node.outputs[:1]}
    nodes, tensors = list[Node](), dict[str, bytes]()
    for node in graph.nodes:
        rounded = makers.get(node.inputs[0]) if node.operator == "DequantizeLinear" else None
        if rounded is None or rounded.operator != "QuantizeLinear":
            nodes.append(node)
            continue
        zero = graph.tensors.get(node.inputs[2]) if len(node.inputs) > 2 else None
        kind = UINT8 if zero is None else zero.kind
        if kind not in (UINT8, INT8):
            nodes.append(node)
            continue
        name, ends = node.outputs[0], {UINT8: (0, 255), INT8: (-128, 127)}[kind]
        for end, value in zip(("low", "high"), ends, strict=True):
            tensors[f"{name}/mien/{end}/8bit"] = encode_byte(f"{name}/mien/{end}/8bit", kind, value)
            inputs = [f"{name}/mien/{end}/8bit", *node.inputs[1:3]]
            nodes.append(make_node("DequantizeLinear", inputs, f"{name}/mien/{end}"))
        nodes.append(make_node("Clip", [rounded.inputs[0], f"{name}/mien/low", f"{name}/mien/high"], name))
    return _Smooth(nodes, tensors)


def _behind(smooth: _Smooth, graph: Graph, cut: str) -> list[Node] | None:
    """Return the nodes that lead from `cut` to the logits; None where the picture goes past it."""
    needed, nodes = {graph.outputs[0]}, []
    for node in reversed(smooth.nodes):
        if needed.isdisjoint(node.outputs) or cut in node.outputs:
            continue
        if node.nested:
            return None
        needed.update(filter(None, node.inputs))
        nodes.append(node)
    pictures = set(graph.inputs) - set(graph.tensors)
    return None if not nodes or cut not in needed or needed & pictures else nodes[::-1]


def _encoded(graph: Graph, smooth: _Smooth, nodes: list[Node], cut: str, shape: tuple[int, ...]) -> bytes:
    needed = {name for node in nodes for name in node.inputs}
    stored = {name: bytes(tensor.content) for name, tensor in graph.tensors.items()} | smooth.tensors
    return b"".join(
        [
            *(_wire.field(GRAPH_NODE, bytes(node.content)) for node in nodes),
            _wire.field(GRAPH_NAME, "behind"),
            *(_wire.field(GRAPH_INITIALIZER, stored[name]) for name in sorted(needed & set(stored))),
            _wire.field(GRAPH_INPUT, encode_value(cut, ["N", *shape[1:]])),
            _wire.field(GRAPH_OUTPUT, graph.output_values[0]),
        ]
    )

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core.errors import ModelError
from mien.testing import fake_card, tiny_onnx
from mien.zoo import _wire
from mien.zoo.layers import read_layers

ZERO = np.zeros((1, 1, 48, 48), dtype=np.float32)
TINY = tiny_onnx(fake_card())


def test_the_layers_of_a_small_network() -> None:
    layers = read_layers(TINY, ZERO)
    assert [layer.operator for layer in layers] == ["GlobalAveragePool", "Flatten", "Gemm", "Identity"]
    assert [layer.shape for layer in layers] == [(1, 1, 1, 1), (1, 1), (1, 7), (1, 7)]
    assert [layer.parameters for layer in layers] == [0, 0, 14, 0]
    assert layers[2].to_dict() == {"name": "dense", "operator": "Gemm", "shape": (1, 7), "parameters": 14}


def test_the_layers_of_a_real_network_are_those_the_onnx_package_finds(shared: Path) -> None:
    onnx = pytest.importorskip("onnx")
    content = (shared / "models" / "face_detection_yunet_2023mar.onnx").read_bytes()
    graph = onnx.load_from_string(content).graph
    layers = read_layers(content, np.zeros((1, 3, 640, 640), dtype=np.float32))
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    assert [layer.operator for layer in layers] == [node.op_type for node in nodes]
    stored = [tensor for tensor in graph.initializer if tensor.data_type != onnx.TensorProto.INT64]
    assert sum(layer.parameters for layer in layers) == sum(math.prod(tensor.dims) for tensor in stored)
    assert layers[0].shape == (1, 16, 320, 320)
    outputs = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in graph.output}
    shapes = {node.output[0]: layer.shape for node, layer in zip(nodes, layers, strict=True)}
    assert {name: list(shapes[name] or ()) for name in outputs} == outputs


def test_a_quantised_network_counts_its_weights_once() -> None:
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    stored = [
        helper.make_tensor("weight", kinds.INT8, [4, 1, 3, 3], [1] * 36),
        helper.make_tensor("scale", kinds.FLOAT, [], [0.1]),
        helper.make_tensor("zero", kinds.INT8, [], [0]),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["picture", "scale", "zero"], ["small"]),
        helper.make_node("DequantizeLinear", ["small", "scale", "zero"], ["back"]),
        helper.make_node("DequantizeLinear", ["weight", "scale", "zero"], ["wide"]),
        helper.make_node("Conv", ["back", "wide"], ["logits"], name="first"),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("picture", kinds.FLOAT, ["N", 1, 48, 48])],
        [helper.make_tensor_value_info("logits", kinds.FLOAT, None)],
        stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    layers = read_layers(model.SerializeToString(), ZERO)
    assert [(layer.operator, layer.parameters) for layer in layers] == [
        ("QuantizeLinear", 0),
        ("DequantizeLinear", 0),
        ("Conv", 36),
    ]
    assert layers[-1].name == "first"
    assert layers[-1].shape == (1, 4, 46, 46)


def test_shared_weights_count_once_and_constants_are_no_layers() -> None:
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    weight, number = (
        helper.make_tensor(name, kinds.FLOAT, [48], [1.0] * 48) for name in ("weight", "number")
    )
    nodes = [
        helper.make_node("Constant", [], ["constant"], value=number),
        helper.make_node("Mul", ["picture", "weight"], ["once"]),
        helper.make_node("Mul", ["once", "weight"], ["twice"]),
        helper.make_node("Add", ["twice", "constant"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "shared",
        [helper.make_tensor_value_info("picture", kinds.FLOAT, ["N", 1, 48, 48])],
        [helper.make_tensor_value_info("logits", kinds.FLOAT, None)],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    layers = read_layers(model.SerializeToString(), ZERO)
    assert [(layer.name, layer.parameters) for layer in layers] == [("once", 48), ("twice", 0), ("logits", 0)]
    assert {layer.shape for layer in layers} == {(1, 1, 48, 48)}


def test_shapes_that_cannot_be_found_are_unknown() -> None:
    layers = read_layers(TINY, np.zeros((1, 1, 2, 2), dtype=np.float32))
    assert [layer.shape for layer in layers] == [None] * 4


@pytest.mark.parametrize("content", [b"", b"no network", TINY[:40]])
def test_what_is_no_network_has_no_layers(content: bytes) -> None:
    with pytest.raises(ModelError, match="layers"):
        read_layers(content, ZERO)


# The same examples every time: damaged networks also reach ONNX Runtime, whose safety is not tested here.
@settings(derandomize=True, deadline=None)
@given(st.integers(0, len(TINY) - 1), st.binary(max_size=8))
def test_damaged_files_never_crash_the_reader(place: int, damage: bytes) -> None:
    damaged = TINY[:place] + damage + TINY[place + len(damage) :]
    with suppress(ModelError):
        assert read_layers(damaged, ZERO)


@settings(deadline=None)
@given(st.integers(1, 2**20), st.integers(0, 2**63) | st.binary(max_size=300))
def test_fields_are_read_as_they_were_written(number: int, value: int | bytes) -> None:
    [(found_number, found)] = _wire.read(_wire.field(number, value))
    assert found_number == number
    assert (found if isinstance(found, int) else bytes(found)) == value


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_wire_error(content: bytes) -> None:
    try:
        for number, value in _wire.read(content):
            assert number >= 0
            assert isinstance(value, (int, memoryview))
    except _wire.WireError:
        pass

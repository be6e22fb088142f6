"""Networks taken apart: the response of their layers, and the part behind the last feature maps."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.core.errors import ModelError
from mien.testing import convolutional_onnx, fake_card, tiny_onnx
from mien.zoo.parts import take_apart
from mien.zoo.session import OnnxSession

PICTURE = np.random.default_rng(1).normal(size=(1, 1, 12, 12)).astype(np.float32)
CARD = fake_card(size=12)
SMALL = convolutional_onnx(CARD)


def test_every_layer_responds_with_what_belongs_to_it() -> None:
    parts = take_apart(SMALL, PICTURE)
    assert [(r.name, r.operators, r.values.shape) for r in parts.responses] == [
        ("convolved", ("Conv", "Relu"), (6, 10, 10)),
        ("mean", ("GlobalAveragePool",), (6, 1, 1)),
    ]
    maps, means = (response.values for response in parts.responses)
    assert maps.min() == 0
    assert np.allclose(maps.mean((1, 2)), means.ravel(), atol=1e-6)


def test_the_part_behind_the_last_maps_is_the_rest_of_the_network() -> None:
    features = take_apart(SMALL, PICTURE).features
    assert features is not None
    assert features.name == "maps"
    whole = OnnxSession(SMALL).run(PICTURE)
    assert np.allclose(features.logits(features.values[np.newaxis]), whole, atol=1e-5)
    assert np.abs(features.logits(2 * features.values[np.newaxis]) - whole).max() > 0.1


def test_a_network_without_convolutions_has_no_maps() -> None:
    parts = take_apart(tiny_onnx(CARD), PICTURE)
    assert [response.operators for response in parts.responses] == [("GlobalAveragePool",)]
    assert parts.features is None


@pytest.mark.parametrize("content", [b"", b"no network", SMALL[:60]])
def test_what_is_no_network_cannot_be_taken_apart(content: bytes) -> None:
    with pytest.raises(ModelError):
        take_apart(content, PICTURE)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, len(SMALL) - 1), st.binary(max_size=8))
def test_damaged_files_never_crash(place: int, damage: bytes) -> None:
    with suppress(ModelError):
        take_apart(SMALL[:place] + damage + SMALL[place + len(damage) :], PICTURE)


def made(nodes: list[object], weights: dict[str, NDArray[np.float32]], *, batch: int | str = "N") -> bytes:
    onnx = pytest.importorskip("onnx", reason="needs onnx, of the train extra")
    helper, numbers = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **node[3]) for node in nodes],  # type: ignore[index]
        "made",
        [helper.make_tensor_value_info("picture", numbers, [batch, 1, 12, 12])],
        [helper.make_tensor_value_info("logits", numbers, [batch, 7])],
        [onnx.numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def random(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


POOLED = [
    ("Conv", ["picture", "kernels"], ["convolved"], {}),
    ("Relu", ["convolved"], ["maps"], {}),
    ("MaxPool", ["maps"], ["pooled"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("Reshape", ["pooled", "shape"], ["flat"], {}),
    ("MatMul", ["flat", "dense"], ["logits"], {}),
]
WEIGHTS = {"kernels": random(4, 1, 3, 3), "dense": random(100, 7)}


def test_the_maps_before_a_pool_are_the_last() -> None:
    features = take_apart(made(POOLED, {**WEIGHTS, "shape": np.array([-1, 100])}), PICTURE).features
    assert features is not None
    assert (features.name, features.values.shape) == ("maps", (4, 10, 10))


def test_a_batch_that_is_fixed_in_the_file_is_kept() -> None:
    content = made(POOLED, {**WEIGHTS, "shape": np.array([3, 100])}, batch=3)
    features = take_apart(content, PICTURE).features
    assert features is not None
    whole = OnnxSession(content).run(PICTURE)
    five = np.repeat(features.values[np.newaxis], 5, axis=0)
    assert np.allclose(features.logits(five), whole.repeat(5, axis=0), atol=1e-4)


def test_where_the_picture_goes_past_the_maps_there_are_none_to_cut_at() -> None:
    nodes = [
        ("Conv", ["picture", "kernels"], ["maps"], {}),
        ("Flatten", ["maps"], ["seen"], {}),
        ("Flatten", ["picture"], ["past"], {}),
        ("Concat", ["seen", "past"], ["both"], {"axis": 1}),
        ("MatMul", ["both", "dense"], ["logits"], {}),
    ]
    parts = take_apart(made(nodes, {"kernels": random(4, 1, 3, 3), "dense": random(544, 7)}), PICTURE)
    assert len(parts.responses) == 1
    assert parts.features is None


def test_a_quantised_network_is_taken_without_its_rounding_and_with_its_limits() -> None:
    pytest.importorskip("torch", reason="needs torch, of the train extra")
    from mien.training.quantize import quantise

    pictures = np.random.default_rng(2).normal(size=(64, 1, 12, 12)).astype(np.float32)
    plain = made(POOLED, {**WEIGHTS, "shape": np.array([-1, 100])})
    small = quantise(plain, pictures)
    assert b"QuantizeLinear" in small
    features = take_apart(small, PICTURE).features
    assert features is not None
    assert features.values.min() == 0  # ReLU became the lower limit of the quantiser
    # A nudge far below a step of the quantiser moves the logits as far as it does without one.
    nudge = np.zeros((2, *features.values.shape), np.float32)
    nudge[1, 2] = 1e-4
    logits = features.logits(features.values[np.newaxis] + nudge)
    slope = (logits[1] - logits[0]) / 1e-4
    exact = WEIGHTS["dense"].reshape(4, 25, 7)[2].sum(0)
    assert np.abs(slope - exact).max() < 0.1 * np.abs(exact).max()

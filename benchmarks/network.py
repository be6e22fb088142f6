"""One face through the network, against a large matrix product of as many multiply-adds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper

from benchmarks.measure import Figure, alternate, figure, milliseconds
from mien.pipeline.classify import classify
from mien.zoo.registry import Model
from mien.zoo.runtime import load_runtime

SIDE = 1024
AT_MOST = 1.25


def run(model: Model) -> Iterator[Figure]:
    """Yield the cost of one face in units of the processor's own rate."""
    onnxruntime = load_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    product = onnxruntime.InferenceSession(_product(), options, providers=["CPUExecutionProvider"])
    left = np.random.default_rng(0).standard_normal((SIDE, SIDE), np.float32)
    face = np.random.default_rng(1).integers(0, 256, (1, 48, 48), dtype=np.uint8)
    seconds = alternate(lambda: product.run(None, {"a": left}), lambda: classify(model, face), repetitions=60)
    assert model.card.multiply_adds is not None, "the card has to state the multiply-adds"
    ideal = seconds[0] * model.card.multiply_adds / SIDE**3
    yield figure(
        f"one face through {model.name}: time of as many multiply-adds in a large matrix product",
        seconds[1] / ideal,
        limit=AT_MOST,
        face_ms=milliseconds(seconds[1]),
        ideal_ms=milliseconds(ideal),
        product_gigaflops=2 * SIDE**3 / float(np.median(seconds[0])) / 1e9,
    )


def _product() -> bytes:
    right = np.random.default_rng(2).standard_normal((SIDE, SIDE), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [SIDE, SIDE])],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [SIDE, SIDE])],
        [onnx.numpy_helper.from_array(right, "b")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    return bytes(made.SerializeToString())

"""The graph of an ensemble: every member behind an adapter, and the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnx.compose
import onnx.version_converter
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mien.core.errors import ModelError
from mien.pipeline.classify import softmax
from mien.zoo.card import Card, ModelInput
from mien.zoo.registry import Model
from mien.zoo.session import first_line, start

_OPSET, _IR = 18, 10
_LEAST = 1e-12  # a probability; its logarithm has to be a number
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as pictures are made grey everywhere in Mien
_INPUT, _OUTPUT = "faces", "logits"


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One of the models, its file's content, and its share of the average."""

    model: Model
    content: bytes
    weight: float


def merge(card: Card, members: Sequence[Member]) -> bytes:
    """Return one ONNX file: every member behind its adapter, and the mean of their probabilities."""
    nodes: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []
    merged = onnx.ModelProto(ir_version=_IR, producer_name="mien")
    versions: dict[str, int] = {"": _OPSET}
    shares = []
    for number, member in enumerate(members):
        graph = onnx.compose.add_prefix(_brought_up(member), f"m{number}/")
        own = graph.graph
        adapter, constants = _adapter(card.input, member.model.card.input, own.input[0].name, f"a{number}/")
        nodes += [*adapter, *own.node]
        tensors += [*constants, *own.initializer]
        merged.graph.sparse_initializer.extend(own.sparse_initializer)
        merged.functions.extend(graph.functions)
        for opset in graph.opset_import:
            if versions.setdefault(opset.domain, opset.version) != opset.version:
                raise ModelError(
                    f"model {member.model.name!r} needs version {opset.version} of the operators "
                    f"{opset.domain!r}, another one version {versions[opset.domain]}; export them alike"
                )
        more, constants, share = _share(card, member, own.output[0].name, f"p{number}/")
        nodes += more
        tensors += constants
        shares.append(share)
    tensors.append(numpy_helper.from_array(np.array(_LEAST, np.float32), "least"))
    nodes += [
        helper.make_node("Sum", shares, ["mean"]),
        helper.make_node("Max", ["mean", "least"], ["positive"]),
        helper.make_node("Log", ["positive"], [_OUTPUT]),
    ]
    reads = card.input
    merged.graph.name = "ensemble"
    merged.graph.node.extend(nodes)
    merged.graph.initializer.extend(tensors)
    shape: list[str | int | None] = ["n", reads.channels, reads.height, reads.width]
    merged.graph.input.append(helper.make_tensor_value_info(_INPUT, TensorProto.FLOAT, shape))
    merged.graph.output.append(
        helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, ["n", len(card.labels)])
    )
    merged.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in versions.items())
    return bytes(merged.SerializeToString(deterministic=True))


def _brought_up(member: Member) -> onnx.ModelProto:
    """Return a member's network in the one version of the operators, with one input and a free batch."""
    name = member.model.name
    model = onnx.load_model_from_string(member.content)
    stored = {tensor.name for tensor in model.graph.initializer}
    pictures = [value for value in model.graph.input if value.name not in stored]
    if pictures[0].type.tensor_type.shape.dim[0].HasField("dim_value"):
        raise ModelError(f"model {name!r} reads a fixed number of faces at a time; export it with any number")
    version = next((opset.version for opset in model.opset_import if opset.domain == ""), _OPSET)
    if version != _OPSET:
        try:
            model = onnx.version_converter.convert_version(model, _OPSET)
        except Exception as error:  # the converter's errors share no base
            raise ModelError(
                f"model {name!r} uses version {version} of ONNX's operators and cannot be brought to "
                f"{_OPSET}: {first_line(error)}"
            ) from error
    del model.graph.input[:]
    model.graph.input.append(pictures[0])
    del model.graph.output[1:]
    return model


def _adapter(
    given: ModelInput, wanted: ModelInput, target: str, prefix: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return the nodes that bring the ensemble's faces to what a member reads: colour, size, scale."""
    nodes: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []
    last = _INPUT

    def stored(values: Any, kind: Any = np.float32) -> str:
        tensors.append(numpy_helper.from_array(np.array(values, kind), f"{prefix}{len(tensors)}"))
        return tensors[-1].name

    def add(operator: str, inputs: list[str], **attributes: Any) -> None:
        nonlocal last
        made = f"{prefix}step{len(nodes)}"
        nodes.append(helper.make_node(operator, inputs, [made], **attributes))
        last = made

    if given.colour == "rgb" and wanted.colour == "gray":
        add("Conv", [last, stored(np.reshape(_LUMINANCE, (1, 3, 1, 1)))])
    if (given.width, given.height) != (wanted.width, wanted.height):
        sizes = stored([1.0, 1.0, wanted.height / given.height, wanted.width / given.width])
        add(
            "Resize",
            [last, "", sizes],
            mode="linear",
            antialias=1,
            coordinate_transformation_mode="half_pixel",
        )
    if (given.mean, given.std) != (wanted.mean, wanted.std):
        add("Mul", [last, stored(given.std / wanted.std)])
        add("Add", [last, stored((given.mean - wanted.mean) / wanted.std)])
    nodes.append(helper.make_node("Identity", [last], [target]))
    return nodes, tensors


def _share(
    card: Card, member: Member, logits: str, prefix: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto], str]:
    """Return the nodes from a member's logits to its part of the mean, in the ensemble's order of labels."""
    own = member.model.card
    order = np.array([own.labels.index(label) for label in card.labels], np.int64)
    tensors = [
        numpy_helper.from_array(np.array(1 / own.temperature, np.float32), f"{prefix}cooler"),
        numpy_helper.from_array(order, f"{prefix}order"),
        numpy_helper.from_array(np.array(member.weight, np.float32), f"{prefix}weight"),
    ]
    nodes = [
        helper.make_node("Mul", [logits, f"{prefix}cooler"], [f"{prefix}scaled"]),
        helper.make_node("Softmax", [f"{prefix}scaled"], [f"{prefix}all"], axis=1),
        helper.make_node("Gather", [f"{prefix}all", f"{prefix}order"], [f"{prefix}ordered"], axis=1),
        helper.make_node("Mul", [f"{prefix}ordered", f"{prefix}weight"], [f"{prefix}share"]),
    ]
    return nodes, tensors, f"{prefix}share"


def alone(card: Card, member: Member, batch: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what a member says by itself about faces as the ensemble reads them, in its order of labels."""
    own = member.model.card
    nodes, tensors = _adapter(card.input, own.input, "brought", "a/")
    shape: list[str | int | None] = ["n", *batch.shape[1:]]
    graph = helper.make_graph(
        nodes,
        "adapter",
        [helper.make_tensor_value_info(_INPUT, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("brought", TensorProto.FLOAT, None)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    (brought,) = start(model.SerializeToString(), "the adapter", 1, "cpu").run(None, {_INPUT: batch})
    logits = member.model.session.run(brought).astype(np.float64)
    return softmax(logits, own.temperature)[:, [own.labels.index(label) for label in card.labels]]

"""What a model of Keras does, out of its description (`model_config`, `config.json`).

Sequential and functional models are read, also one inside the other. Layers that do nothing when a model is
used (dropout, augmentation, noise) are passed over; those that scale pixels first of all are summed up in one
scale and one offset. Anything else that none of the reference networks has is refused by its name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mien.core.errors import ModelError
from mien.training.keras_import import steps as step_names
from mien.training.keras_import._nodes import Node, constant_of, sources_of
from mien.training.keras_import.layers import DENSE, NORM, snake_case
from mien.training.keras_import.options import MAX_SIDE
from mien.training.keras_import.steps import Step

_MODELS = ("Sequential", "Functional", "Model")
_NOTHING = (
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomTranslation",
    "RandomContrast",
    "RandomBrightness",
    "RandomShear",
    "RandomErasing",
)
_ACTIVATIONS = {
    "relu": step_names.RELU,
    "relu6": step_names.RELU6,
    "softmax": step_names.SOFTMAX,
    "leaky_relu": step_names.leaky(0.2),
}
_DEEPEST = 8
_MOST = 1e6  # that pixels are multiplied by, or its inverse, or that is added to them


@dataclass(frozen=True, slots=True)
class Weighted:
    """A layer that has weights: its name, its place in a newer file, and its own description."""

    name: str
    place: str
    config: Mapping[str, Any]


@dataclass(slots=True)
class Structure:
    """What a description says.

    Attributes:
        steps: in order, with a last softmax.
        weighted: layers with weights, in order.
        sides: height, width and channels of the input, or None where the description leaves them open.
        scale, offset: what the model itself does to pixels before its first layer: `scale * x + offset`.
    """

    steps: list[Step] = field(default_factory=list)
    weighted: list[Weighted] = field(default_factory=list)
    sides: tuple[int, int, int] | None = None
    scale: float = 1.0
    offset: float = 0.0

    @property
    def scales(self) -> bool:
        """Whether the model itself scales pixels."""
        return (self.scale, self.offset) != (1.0, 0.0)


def read_structure(config: Mapping[str, Any], name: str) -> Structure:
    """Return what a description of a model says; `name` of the file is for messages.

    Raises:
        ModelError: a layer does what no reference network does (it is named), or the description is none.
    """
    reader = _Reader(name)
    try:
        reader.model(config, "", 0)
    except RecursionError as error:
        raise ModelError(f"the description of the model in {name} is nested too deeply") from error
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        why = " ".join(str(error).split())[:200]
        raise ModelError(f"the description of the model in {name} is malformed ({why})") from error
    return reader.found


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.found = Structure()
        self.side: int | None = None
        self.padding: tuple[str, int] | None = None

    def model(self, model: Mapping[str, Any], place: str, depth: int) -> None:
        kind, inner = model["class_name"], model["config"]
        if kind not in _MODELS or depth > _DEEPEST:
            raise ModelError(
                f"the model in {self.name} is a {kind}; sequential and functional models can be read, "
                "whose layers stand in the file"
            )
        layers = inner if isinstance(inner, list) else inner["layers"]
        ends: dict[str, int] = {}
        numbers: dict[str, int] = {}
        for entry in layers:
            node = Node.of(entry)
            part = snake_case(node.kind)
            number = numbers[part] = numbers.get(part, -1) + 1
            below = f"{place}layers/{part}" + (f"_{number}" if number else "")
            self._follow(node, ends)
            if node.kind in _MODELS:
                self.model(entry, f"{below}/", depth + 1)
            else:
                self._layer(node, below)
            ends[node.name] = len(self.found.steps)
        self._check_end(inner, ends)

    def _follow(self, node: Node, ends: Mapping[str, int]) -> None:
        """Make sure that a layer reads what the one before it gives; the sums of R2 are the exception."""
        sources = sources_of(node)
        if sources is None or node.kind == "InputLayer":
            return
        here = len(self.found.steps)
        if any(source not in ends for source in sources):
            raise self._refused(node, f"reads {', '.join(sources)}, which do not stand before it")
        if node.kind == "Add" and len(sources) == 2:
            least, most = sorted(ends[source] for source in sources)
            if most == here and least < here:
                self.found.steps.append(Step(step_names.added(here - least), node.name))
                return
        if len(sources) != 1 or ends[sources[0]] != here:
            raise self._refused(
                node, f"reads {', '.join(sources)}; the networks here do not branch like that"
            )

    def _check_end(self, inner: Any, ends: Mapping[str, int]) -> None:
        outputs = inner.get("output_layers") if isinstance(inner, Mapping) else None
        if not outputs:
            return
        names = [outputs[0]] if isinstance(outputs[0], str) else [output[0] for output in outputs]
        if len(names) != 1 or ends.get(names[0]) != len(self.found.steps):
            raise ModelError(
                f"the model in {self.name} has the outputs {', '.join(names)}; one at its end can be read"
            )

    def _layer(self, node: Node, place: str) -> None:
        config, found = node.config, self.found
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        if shape is not None and found.sides is None and not found.steps:
            found.sides = self._sides(node, shape)
        if config.get("data_format", "channels_last") != "channels_last":
            raise self._refused(node, "has its channels first; save a model with channels last")
        if self.padding is not None and node.kind not in ("Conv2D", "DepthwiseConv2D"):
            raise self._refused(
                node, f"follows the padding {self.padding[0]!r}, which belongs to convolutions"
            )
        match node.kind:
            case "InputLayer":
                pass
            case "Add" if len(sources_of(node) or ()) == 2:
                pass  # noted where its sources are followed
            case kind if kind in _NOTHING:
                pass
            case "Activation":
                self._activation(node, config["activation"])
            case "ReLU" | "LeakyReLU" | "Softmax":
                self._step(_activation_layer(node) or self._unknown(node), node)
            case "Conv2D" | "DepthwiseConv2D":
                self._convolution(node, place)
            case "ZeroPadding2D":
                self.padding = (node.name, self._zeros(node))
            case "BatchNormalization":
                axis = config.get("axis", -1)
                if axis not in (-1, [-1], 3, [3]) and not (self.side is None and axis in (1, [1])):
                    raise self._refused(node, f"normalises axis {axis}; the channels are the last one")
                found.weighted.append(Weighted(node.name, place, config))
                self._step(NORM, node)
            case "MaxPooling2D":
                self._pooling(node)
            case "Flatten":
                self.side = None
                self._step(step_names.FLATTEN, node)
            case "GlobalAveragePooling2D":
                if config.get("keepdims"):
                    raise self._refused(node, "keeps the picture's dimensions")
                self.side = None
                self._step(step_names.AVERAGE, node)
            case "Dense":
                found.weighted.append(Weighted(node.name, place, config))
                self._step(DENSE, node)
                self._activation(node, config.get("activation"))
            case _:
                self._scaling(node)

    def _sides(self, node: Node, shape: Any) -> tuple[int, int, int] | None:
        if not isinstance(shape, list) or len(shape) != 4:
            raise self._refused(node, f"reads {shape}, not pictures (height, width, channels)")
        if not all(isinstance(side, int) and side > 0 for side in shape[1:]):
            return None
        if max(shape[1:]) > MAX_SIDE:
            raise self._refused(node, f"reads {shape}, and pictures of {MAX_SIDE} pixels are the limit")
        self.side = shape[1]
        return (shape[1], shape[2], shape[3])

    def _step(self, what: str, node: Node) -> None:
        self.found.steps.append(Step(what, node.name))

    def _activation(self, node: Node, activation: Any) -> None:
        if isinstance(activation, Mapping) and isinstance(activation.get("config"), str):
            activation = activation["config"]  # a function, by its name
        if activation is None or activation == "linear":
            return
        if isinstance(activation, Mapping):
            step = _activation_layer(Node.of({**activation, "name": node.name}))
        else:
            step = _ACTIVATIONS.get(activation)
        self._step(step or self._unknown(node, activation), node)

    def _convolution(self, node: Node, place: str) -> None:
        config = node.config
        size, stride = self._same(node, "kernel_size"), self._same(node, "strides")
        depthwise = node.kind == "DepthwiseConv2D"
        if self._same(node, "dilation_rate", 1) != 1 or (not depthwise and config.get("groups", 1) != 1):
            raise self._refused(node, "is dilated or in groups")
        if depthwise and config.get("depth_multiplier", 1) != 1:
            raise self._refused(node, "has a depth multiplier")
        added = self.padding[1] if self.padding is not None else None
        self.padding = None
        fitting = _end_padding(size, stride, self.side)
        same = config.get("padding") == "same" and added is None
        padded = config.get("padding") == "valid" and (added or 0) == fitting
        if not (same or padded):
            raise self._refused(
                node, f"is padded otherwise ({config.get('padding')!r}); the networks keep the picture's size"
            )
        if self.side is not None:
            self.side = math.ceil(self.side / stride)
        self.found.weighted.append(Weighted(node.name, place, config))
        self._step(step_names.convolution(size, stride, depthwise), node)
        self._activation(node, config.get("activation"))

    def _same(self, node: Node, key: str, default: int | None = None) -> int:
        """Return a number that is the same for height and width."""
        value = node.config.get(key, default)
        values = value if isinstance(value, list) else [value, value]
        is_one = len(values) == 2 and values[0] == values[1] and isinstance(values[0], int)
        if not is_one or values[0] < 1:
            raise self._refused(node, f"has {key} {value}")
        return int(values[0])

    def _zeros(self, node: Node) -> int:
        """Return a padding as one number: 1 for right and below, 2 for all around by one."""
        padding = node.config.get("padding")
        for number, form in enumerate(([[0, 1], [0, 1]], [[1, 1], [1, 1]]), 1):
            if padding == form:
                return number
        raise self._refused(node, f"pads by {padding}")

    def _pooling(self, node: Node) -> None:
        size = self._same(node, "pool_size", 2)
        stride = size if node.config.get("strides") is None else self._same(node, "strides")
        # On an even picture both kinds of padding are none.
        uneven = self.side is None or self.side % 2
        if (size, stride) != (2, 2) or (node.config.get("padding") == "same" and uneven):
            raise self._refused(node, f"is not a 2×2 pooling without padding (size {size}, strides {stride})")
        if self.side is not None:
            self.side //= 2
        self._step(step_names.POOLING, node)

    def _scaling(self, node: Node) -> None:
        """Take a layer or operation that scales pixels before everything else."""
        scale, offset = constant_of(node) or self._unknown(node)
        if self.found.steps:
            raise self._refused(node, "scales features; only the input may be scaled")
        self.found.scale *= scale
        self.found.offset = self.found.offset * scale + offset
        # Pixels become numbers near 1; beyond these limits 32 bits, and cards, know no difference any more.
        if not (1 / _MOST <= self.found.scale <= _MOST and abs(self.found.offset) <= _MOST):
            raise self._refused(node, f"scales by {scale} and adds {offset}")

    def _unknown(self, node: Node, activation: Any = None) -> Any:
        what = f"has the activation {activation!r}" if activation is not None else f"is a {node.kind}"
        raise self._refused(node, f"{what}, which none of the reference networks has")

    def _refused(self, node: Node, why: str) -> ModelError:
        return ModelError(
            f"layer {node.name!r} in {self.name} {why}; choose the --arch it was trained with, "
            "or train with the published network"
        )


def _end_padding(size: int, stride: int, side: int | None) -> int:
    """Return the padding that keeps the size as `padding="same"` does: none, at the end, or all around."""
    if size == 1:
        return 0
    return 1 if stride == 2 and side is not None and side % 2 == 0 else 2


def _activation_layer(node: Node) -> str | None:
    config = node.config
    slope = config.get("negative_slope", config.get("alpha", 0.3 if node.kind == "LeakyReLU" else 0.0))
    match node.kind:
        case "LeakyReLU":
            return step_names.leaky(float(slope))
        case "ReLU" if not config.get("threshold"):
            if slope:
                return step_names.leaky(float(slope)) if config.get("max_value") is None else None
            return {None: step_names.RELU, 6: step_names.RELU6}.get(config.get("max_value"))
        case "Softmax" if config.get("axis", -1) == -1:
            return step_names.SOFTMAX
    return None

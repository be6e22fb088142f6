"""Stand-ins for tests, Mien's own and its users': a network without weights, small ONNX files, pictures."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import OptionError
from mien.zoo._graph import Node, encode_tensor, encode_value, make_node
from mien.zoo._wire import field
from mien.zoo.card import METADATA_KEY, Card, ModelInput
from mien.zoo.registry import Model

Logits = Callable[[NDArray[np.float32]], ArrayLike] | ArrayLike | None


class FakeSession:
    """A network that gives the outputs a test wants; it implements `mien.zoo.session.Session`.

    Args:
        labels: the label set; it has to have as many names as the logits have numbers.
        logits: a function from the batch (N, channels, height, width) to (N, labels); or an array, the same
            (labels,) for every picture or (N, labels) for a batch of N; or None: a picture's mean brightness
            picks the label, the first for black (0) and the last for white (1).
        input_shape: channels, height and width of one picture.

    Attributes:
        batches: the shape of every batch it was given, in order.
    """

    def __init__(
        self,
        labels: Sequence[str] = DEFAULT_LABELS,
        logits: Logits = None,
        *,
        input_shape: tuple[int, int, int] = (1, 48, 48),
    ) -> None:
        self.labels = tuple(labels)
        self.batches: list[tuple[int, ...]] = []
        self._logits = logits
        self._input_shape = input_shape
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int | None, int | None, int | None]:
        """Channels, height and width of one picture."""
        return self._input_shape

    @property
    def output_size(self) -> int | None:
        """The number of labels."""
        return len(self.labels)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, labels), of a batch, float32 (N, channels, height, width)."""
        if batch.dtype != np.float32 or batch.shape[1:] != self._input_shape:
            raise OptionError(
                f"the network reads float32 (N, {', '.join(map(str, self._input_shape))}), "
                f"not {batch.dtype} {batch.shape}"
            )
        with self._lock:
            self.batches.append(batch.shape)
        given: Any = self._logits(batch) if callable(self._logits) else self._logits
        if given is None:
            given = self._by_brightness(batch)
        logits = np.asarray(given, dtype=np.float32)
        return np.array(np.broadcast_to(logits, (len(batch), len(self.labels))))

    def _by_brightness(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        brightness = batch.reshape(len(batch), int(np.prod(batch.shape[1:]))).mean(axis=1)
        count = len(self.labels)
        top = np.clip((brightness * count).astype(np.int64), 0, count - 1)
        logits: NDArray[np.float32] = np.eye(count, dtype=np.float32)[top] * np.float32(4.0)
        return logits


def fake_model(
    labels: Sequence[str] = DEFAULT_LABELS,
    logits: Logits = None,
    *,
    name: str = "fake",
    size: int = 48,
    temperature: float = 1.0,
    threshold: float = 0.0,
) -> Model:
    """Return a model around a FakeSession, reading grey pictures of `size` × `size` as pixel / 255."""
    card = fake_card(labels, name=name, size=size, temperature=temperature, threshold=threshold)
    session = FakeSession(labels, logits, input_shape=(1, size, size))
    return Model(name=name, card=card, session=session, digest=hashlib.sha256(name.encode()).hexdigest())


def fake_card(
    labels: Sequence[str] = DEFAULT_LABELS,
    *,
    name: str = "fake",
    size: int = 48,
    temperature: float = 1.0,
    threshold: float = 0.0,
) -> Card:
    """Return a card without metrics, for grey pictures of `size` × `size` read as pixel / 255."""
    return Card(
        name=name,
        labels=tuple(labels),
        input=ModelInput(width=size, height=size, colour="gray", mean=0.0, std=1.0),
        temperature=temperature,
        threshold=threshold,
    )


def write_model(folder: Path, card: Card | None = None, content: bytes | None = None) -> Path:
    """Write a small real model into `folder`, `<name>.onnx` and its card `<name>.json`; return the first.

    `content` is that of `tiny_onnx` where none is given.
    """
    card = card or fake_card(name="tiny")
    content = tiny_onnx(card) if content is None else content
    path = folder / f"{card.name}.onnx"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    path.with_suffix(".json").write_text(replace(card, sha256=digest).to_json(), encoding="utf-8")
    return path


def tiny_onnx(
    card: Card,
    *,
    outputs: int | None = None,
    batch: int | None = None,
    last: str | None = None,
    metadata: Card | str | None = None,
) -> bytes:
    """Return an ONNX network that gives what FakeSession does by itself: brightness picks the label.

    It is an average over the picture and one fully connected layer, encoded here: no package is needed.

    Args:
        card: gives the input's size and the number of labels; it also goes into the metadata.
        outputs: how many numbers the network gives, where that is not to be the number of labels.
        batch: a fixed batch size; without it any.
        last: an operator to put behind, such as "Softmax".
        metadata: another card or text for the metadata; "" for none.
    """
    channels, count = card.input.channels, outputs or len(card.labels)
    centre = (np.arange(count, dtype=np.float32) + 0.5) / count
    # -(brightness - centre)², without the part that is the same for all labels, is linear in brightness.
    weights = np.repeat(2 * centre[None], channels, axis=0) / channels * 100
    text = (card.without_digest() if metadata is None else metadata) or ""
    if isinstance(text, Card):
        text = text.to_json()
    nodes = [
        make_node("GlobalAveragePool", ["picture"], "mean"),
        make_node("Flatten", ["mean"], "flat"),
        make_node("Gemm", ["flat", "weight", "bias"], "dense"),
        make_node(last or "Identity", ["dense"], "logits"),
    ]
    stored = {"weight": weights, "bias": -100 * centre**2}
    return _model(nodes, stored, card, text, outputs=count, batch=batch)


def _model(
    nodes: Sequence[Node],
    tensors: Mapping[str, NDArray[np.floating]],
    card: Card,
    metadata: str,
    *,
    outputs: int | None = None,
    batch: int | None = None,
) -> bytes:
    """Return the ONNX file of nodes that lead from "picture" to "logits"."""
    reads = card.input
    graph = (
        b"".join(field(1, bytes(node.content)) for node in nodes)
        + field(2, "tiny")
        + b"".join(field(5, encode_tensor(name, values)) for name, values in tensors.items())
        + field(11, encode_value("picture", [batch or "N", reads.channels, reads.height, reads.width]))
        + field(12, encode_value("logits", [batch or "N", outputs or len(card.labels)]))
    )
    opset = field(1, "") + field(2, 13)
    model = field(1, 8) + field(2, "mien") + field(7, graph) + field(8, opset)
    return model + (field(14, field(1, METADATA_KEY) + field(2, metadata)) if metadata else b"")


def convolutional_onnx(card: Card, *, channels: int = 6, seed: int = 0) -> bytes:
    """Return an ONNX network of random weights: convolution, ReLU, mean over the picture, dense layer.

    Its results are named "convolved", "maps", "mean", "flat" and "logits"; the maps are two pixels smaller
    than the picture, each way.

    Args:
        card: gives the input's size and the number of labels; it also goes into the metadata.
        channels: of the convolution.
        seed: of the weights.
    """
    generator = np.random.default_rng(seed)
    reads = card.input
    kernels = generator.normal(size=(channels, reads.channels, 3, 3)).astype(np.float32)
    dense = generator.normal(size=(channels, len(card.labels))).astype(np.float32)
    nodes = [
        make_node("Conv", ["picture", "kernels"], "convolved"),
        make_node("Relu", ["convolved"], "maps"),
        make_node("GlobalAveragePool", ["maps"], "mean"),
        make_node("Flatten", ["mean"], "flat"),
        make_node("MatMul", ["flat", "dense"], "logits"),
    ]
    return _model(nodes, {"kernels": kernels, "dense": dense}, card, card.without_digest().to_json())


def picture(width: int = 96, height: int = 64, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture without a face: smooth colour ramps with a little noise.

    Returns:
        uint8 (height, width, 3) RGB, the same for the same arguments.
    """
    across = np.linspace(0.0, 200.0, width)[None, :, None]
    down = np.linspace(0.0, 40.0, height)[:, None, None]
    tint = np.array([1.0, 0.7, 0.4])
    noise = np.random.default_rng(seed).integers(0, 16, (height, width, 3))
    mixed: NDArray[np.float64] = (across + down) * tint + noise
    return mixed.astype(np.uint8)


def crops(count: int = 3, *, size: int = 48, seed: int = 0) -> NDArray[np.uint8]:
    """Return grey noise in the form of face crops, uint8 (count, size, size)."""
    noise: NDArray[np.uint8] = np.random.default_rng(seed).integers(
        0, 256, (count, size, size), dtype=np.uint8
    )
    return noise

"""From ONNX to ONNX Runtime's own format, `.ort`, which its small builds for phones read.

The file is optimised once, here, and loads without that work. It is made as ONNX Runtime's own converter does
it (https://onnxruntime.ai/docs/performance/model-optimizations/ort-format-models.html), for processors of any
kind: what only one kind of processor has is left out.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.core.errors import ModelError, OptionError
from mien.core.files import shown
from mien.zoo import registry
from mien.zoo.card import Card
from mien.zoo.runtime import load_runtime
from mien.zoo.session import OnnxSession, first_line, is_ort, read_weights
from mien.zoo.write import write_files

SUFFIX = ".ort"
STYLES: tuple[str, ...] = ("fixed", "runtime")
LIMIT = 1e-3
_FACES = 64


@dataclass(frozen=True, slots=True)
class Converted:
    """A model in ORT format.

    Attributes:
        path: of the `.ort` file; its card is beside it, `NAME.ort.json`.
        card: with the SHA-256 of the file.
        largest_difference: between the logits of both files on random pictures, as a share of the largest.
    """

    path: Path
    card: Card
    largest_difference: float


def convert(model: str | os.PathLike[str], folder: Path | None = None, *, style: str = "fixed") -> Converted:
    """Write a model in ORT format: `NAME.ort`, and its card `NAME.ort.json`.

    Args:
        model: a name, or the path of an ONNX file with its card.
        folder: where to, made where missing. Without it beside the ONNX file, or here for an installed model.
        style: "fixed" makes every optimisation now, the choice for processors; "runtime" keeps some for the
            phone to make where it hands parts to other hardware (NNAPI, Core ML).

    Raises:
        OptionError: unknown style.
        ModelError: the model cannot be used or converted, or the result gives other logits.
        OutputError: a file cannot be written.
    """
    if style not in STYLES:
        raise OptionError(f"unknown style {style!r}; choose one of {', '.join(STYLES)}")
    entry = registry.find(model)
    if folder is None and entry.origin != "file":
        folder = Path()
    loaded = registry.open_entry(entry, threads=1, device="cpu")
    content = read_weights(entry.path)
    if is_ort(content):
        raise ModelError(f"{shown(entry.path)} is in ORT format already; give the ONNX file it was made from")
    converted = _converted(content, style)
    difference = _difference(loaded, OnnxSession(converted, threads=1, device="cpu"))
    if not difference <= _limit(loaded.card):
        raise ModelError(
            f"the converted model differs from {shown(entry.path)} by {difference:.2g} of its largest logit, "
            f"more than {_limit(loaded.card):g}; use the ONNX file"
        )
    path = (entry.path.parent if folder is None else folder) / f"{loaded.name}{SUFFIX}"
    # Its weights to fine-tune belong to the ONNX file.
    return Converted(path, write_files(path, converted, loaded.card), difference)


def _converted(content: bytes, style: str) -> bytes:
    """Start the network once with the order to save what ONNX Runtime made of it."""
    onnxruntime = load_runtime()

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"model{SUFFIX}"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.optimized_model_filepath = str(target)
        options.add_session_config_entry("session.save_model_format", "ORT")
        options.add_session_config_entry("session.qdqisint8allowed", "1")  # as ARM processors want it
        if style == "runtime":
            options.add_session_config_entry("optimization.minimal_build_optimizations", "save")
        try:
            onnxruntime.InferenceSession(
                content,
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=0,
                disabled_optimizers=["NchwcTransformer"],  # for x86 processors only
            )
            return target.read_bytes()
        except Exception as error:  # ONNX Runtime's errors share no base of their own
            raise ModelError(f"the model cannot be written in ORT format: {first_line(error)}") from error


def _limit(card: Card) -> float:
    """Fused 8-bit operations round elsewhere than the pairs of operations that they replace."""
    return LIMIT if card.precision == "fp32" else 100 * LIMIT


def _difference(loaded: registry.Model, other: OnnxSession) -> float:
    """Return the largest difference of a logit, as a share of the largest logit."""
    reads = loaded.card.input
    pixels = np.random.default_rng(0).random((_FACES, reads.channels, reads.height, reads.width), np.float32)
    batch = ((pixels - reads.mean) / reads.std).astype(np.float32)
    one, two = loaded.session.run(batch), other.run(batch)
    if one.shape != two.shape:
        return float("inf")
    return float(np.abs(one - two).max() / max(float(np.abs(one).max()), 1e-9))

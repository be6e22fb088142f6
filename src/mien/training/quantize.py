"""From 32-bit floating point to 8-bit integers: a quarter of the size, faster where processors help."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from mien.training._quiet import quiet
from mien.zoo.runtime import load_runtime

_BATCH = 64


def quantise(content: bytes, faces: NDArray[np.float32], *, reduced: bool = False) -> bytes:
    """Return an ONNX network with 8-bit weights (one scale a channel) and activations.

    The ranges of the activations are those seen on `faces` (static quantisation, Jacob et al., CVPR 2018).

    Args:
        content: an ONNX network in 32-bit floating point.
        faces: float32 (faces, channels, height, width) as the network reads them; some hundred of them, of
            training data.
        reduced: keep weights to 7 bits, for processors without integer dot products (AVX2 and AVX-512
            without VNNI), where sums of 8-bit products saturate.
    """
    load_runtime()
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name = onnx.load_model_from_string(content).graph.input[0].name
    with tempfile.TemporaryDirectory() as folder, quiet():
        plain, ready, small = (Path(folder) / f"{step}.onnx" for step in ("plain", "ready", "small"))
        plain.write_bytes(content)
        quant_pre_process(str(plain), str(ready))
        quantize_static(
            str(ready),
            str(small),
            _Faces(name, faces),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=reduced,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return small.read_bytes()


class _Faces:
    """The calibration faces in batches, as ONNX Runtime asks for them."""

    def __init__(self, name: str, faces: NDArray[np.float32]) -> None:
        self._batches = ({name: faces[i : i + _BATCH]} for i in range(0, len(faces), _BATCH))

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)

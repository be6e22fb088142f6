"""Running a network: a protocol, so that tests pass a fake one, and ONNX Runtime behind it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ModelError, ModelNotFoundError, OptionError
from mien.core.files import reason, shown
from mien.core.machine import processors
from mien.zoo.runtime import load_runtime

MAX_MODEL_BYTES = 2**31 - 1
DEVICES: tuple[str, ...] = ("auto", "cpu", "cuda")

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class Session(Protocol):
    """A network that is ready to run. Safe to share between threads."""

    @property
    def input_shape(self) -> tuple[int | None, int | None, int | None]:
        """Channels, height and width of one picture; None where the network takes any."""
        ...

    @property
    def output_size(self) -> int | None:
        """How many numbers the network gives for a picture; None where the file does not say."""
        ...

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, labels), of a batch, float32 (N, channels, height, width)."""
        ...


class OnnxSession:
    """A classifier of one ONNX file, run by ONNX Runtime.

    The network has one float32 input (N, channels, height, width) and a first output (N, labels). N may be
    fixed in the file: longer and shorter batches are then cut and filled up to it.

    Args:
        model: path or content of the file.
        threads: how many threads one call may use; without it every processor this process may use.
        device: "cpu", "cuda" (needs onnxruntime-gpu), or "auto": cuda where it works, else cpu.
        source: what messages call the model where it is given as its content.

    Raises:
        OptionError: unknown device or threads below 1.
        ModelNotFoundError: no such file.
        ModelError: the content is not an ONNX network of that form, or the device is not to be had.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        threads: int | None = None,
        device: str = "auto",
        source: str = "the model",
    ) -> None:
        self.threads = check_threads(threads)
        wanted = resolve_device(device)
        if isinstance(model, bytes):
            content, what = model, source
        else:
            content, what = read_weights(Path(model)), f"model file {shown(model)}"
        if wanted == "cuda":
            self._session = _start_on_cuda(content, what, self.threads, required=device == "cuda")
        else:
            self._session = start(content, what, self.threads, "cpu")
        self.device = "cuda" if self._session.get_providers()[0] == _PROVIDERS["cuda"] else "cpu"
        self._input, self._output = _signature(self._session, what)
        self._fixed_batch, *sizes = (_size(value) for value in self._input.shape)
        self._input_shape = (sizes[0], sizes[1], sizes[2])
        self._output_size = _size(self._output.shape[1]) if self._output.shape else None

    @property
    def input_shape(self) -> tuple[int | None, int | None, int | None]:
        """Channels, height and width of one picture; None where the network takes any."""
        return self._input_shape

    @property
    def output_size(self) -> int | None:
        """How many numbers the network gives for a picture; None where the file does not say."""
        return self._output_size

    @property
    def metadata(self) -> Mapping[str, str]:
        """The texts that travel inside the file; ModelError where they are no text."""
        try:
            return dict(self._session.get_modelmeta().custom_metadata_map)
        except UnicodeDecodeError as error:
            raise ModelError("the metadata of the model is not UTF-8 text; export it again") from error

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, labels), of a batch, float32 (N, channels, height, width).

        Raises:
            OptionError: the batch has another shape or type.
            ModelError: the network fails, or gives something other than (N, labels).
        """
        self._check(batch)
        count = len(batch)
        if count == 0:
            return np.empty((0, self._output_size or 0), dtype=np.float32)
        if self._fixed_batch is None:
            return self._run_once(batch)
        step = self._fixed_batch
        filled = np.concatenate([batch, np.zeros((-count % step, *batch.shape[1:]), dtype=np.float32)])
        parts = [self._run_once(filled[start : start + step]) for start in range(0, count, step)]
        return np.concatenate(parts)[:count]

    def _check(self, batch: NDArray[np.float32]) -> None:
        if batch.dtype != np.float32:
            raise OptionError(f"a batch has to be float32, not {batch.dtype}")
        fits = batch.ndim == 4 and all(
            size in (None, given) for size, given in zip(self._input_shape, batch.shape[1:], strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in self._input_shape)
            raise OptionError(f"the network reads batches (N, {wanted}), not {batch.shape}")

    def _run_once(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (logits,) = self._session.run([self._output.name], {self._input.name: batch})
        except Exception as error:  # ONNX Runtime's errors share no base of their own
            raise ModelError(f"the network failed on a batch {batch.shape}: {first_line(error)}") from error
        if not isinstance(logits, np.ndarray) or logits.ndim != 2 or len(logits) != len(batch):
            shape = getattr(logits, "shape", type(logits).__name__)
            raise ModelError(
                f"the network gave {shape} for {len(batch)} pictures; a classifier gives (N, labels)"
            )
        return logits.astype(np.float32, copy=False)


def check_threads(threads: int | None) -> int:
    """Return `threads`, or for None the number of processors this process may use."""
    if threads is None:
        return processors()
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise OptionError(f"threads has to be a whole number of at least 1, not {threads!r}")
    return threads


def resolve_device(device: str) -> str:
    """Return "cpu" or "cuda" for `device`; "auto" is cuda where this onnxruntime offers it."""
    if device not in DEVICES:
        raise OptionError(f"unknown device {device!r}; choose one of {', '.join(DEVICES)}")
    if device == "cpu":
        return "cpu"
    onnxruntime = load_runtime()

    if _PROVIDERS["cuda"] in onnxruntime.get_available_providers():
        return "cuda"
    if device == "cuda":
        raise ModelError(
            "device 'cuda' needs onnxruntime-gpu and the installed onnxruntime has no CUDA; "
            "install onnxruntime-gpu in its place, or use device 'cpu'"
        )
    return "cpu"


def is_ort(content: bytes) -> bool:
    """Tell whether these are the bytes of a file in ORT format, ONNX Runtime's own."""
    return content[4:8] == b"ORTM"


def read_weights(path: Path) -> bytes:
    """Return the content of a model file; one larger than ONNX allows is refused unread."""
    try:
        if not path.is_file():
            problem = "is not a file" if path.exists() else "does not exist"
            raise ModelNotFoundError(f"model file {shown(path)} {problem}; check the path")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelError(f"model file {shown(path)} is larger than the 2 GiB that one ONNX file can hold")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"model file {shown(path)} cannot be read: {reason(error)}") from error


def start(content: bytes, what: str, threads: int, device: str, *, as_written: bool = False) -> Any:
    """Return a running onnxruntime.InferenceSession; `as_written` leaves every operation as the file has it.

    Raises:
        ModelError: `what`, which names the model in the message, cannot be run.
    """
    onnxruntime = load_runtime()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised; nothing is printed behind the caller's back
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    providers = [_PROVIDERS["cpu"]] if device == "cpu" else [_PROVIDERS["cuda"], _PROVIDERS["cpu"]]
    try:
        # Its own way of falling back to another device prints to standard output.
        return onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        raise ModelError(
            f"{what} is not an ONNX network that ONNX Runtime {onnxruntime.__version__} can run: "
            f"{first_line(error)}"
        ) from error


def _start_on_cuda(content: bytes, what: str, threads: int, *, required: bool) -> Any:
    """Start on CUDA; where it is offered but does not work, on the processor unless it is required."""
    try:
        session = start(content, what, threads, "cuda")
    except ModelError:
        session = None
    if session is not None and session.get_providers()[0] == _PROVIDERS["cuda"]:
        return session
    on_cpu = start(content, what, threads, "cpu")  # a broken file fails here with its own message
    if required:
        raise ModelError(
            "device 'cuda' could not be started; check the NVIDIA driver and CUDA, or use device 'cpu'"
        )
    return on_cpu


def _signature(session: Any, what: str) -> tuple[Any, Any]:
    """Return the input and the output, or say why this is not a classifier of pictures."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        found = ", ".join(f"{i.type} {i.shape}" for i in inputs) or "none"
        raise ModelError(
            f"{what} has the inputs {found}; a classifier has one, float32 (N, channels, height, width)"
        )
    if outputs[0].type != "tensor(float)" or len(outputs[0].shape) not in (0, 2):
        raise ModelError(
            f"{what} has the output {outputs[0].type} {outputs[0].shape}; "
            "a classifier's first output is float32 (N, labels)"
        )
    return inputs[0], outputs[0]


def _size(value: Any) -> int | None:
    """A dimension is a number, or a name or None where it is free."""
    return value if isinstance(value, int) and value > 0 else None


def first_line(error: Exception) -> str:
    """Return what ONNX Runtime says in one line; its messages go on with its own places in the code."""
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__

"""HDF5 read in a process of its own: a damaged file can make the HDF5 library loop for ever, or crash.

The process gets the file's content on standard input and gives layers back as safetensors with JSON beside
them, so that whatever goes wrong in it ends as an error here. It opens no file and needs no torch.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from mien.core.errors import MissingExtraError, ModelError
from mien.training.keras_import.layers import KerasLayer

# Python and h5py start in a second or two, on a busy machine in more; then megabytes take parts of one.
_PATIENCE_S, _BYTES_A_SECOND = 60.0, 8 << 20
# Twelve times the largest file, which is about what its text, arrays and answer take at once.
_MEMORY = 6 << 30
_REFUSED = 3


@dataclass(frozen=True, slots=True)
class Content:
    """What an HDF5 file of Keras holds: `config` is JSON text or None, `form` "h5" or "weights.h5"."""

    form: str
    layers: tuple[KerasLayer, ...]
    config: str | None
    version: str | None


def read_hdf5(content: bytes, name: str, patience: float | None = None) -> Content:
    """Read the content of an HDF5 file.

    Args:
        content: of the whole file.
        name: for messages.
        patience: seconds after which the file is given up; by the file's size without it.

    Raises:
        ModelError: it is damaged, hostile, or not of Keras.
        MissingExtraError: h5py is not installed.
    """
    if importlib.util.find_spec("h5py") is None:
        raise MissingExtraError("h5py", "train")
    patience = _PATIENCE_S + len(content) / _BYTES_A_SECOND if patience is None else patience
    try:
        done = subprocess.run(
            # Modules come from where this process has them, and none from the folder it happens to be in.
            [sys.executable, "-P", "-m", __name__, name],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            input=content,
            capture_output=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{name} cannot be read in {patience:.0f} seconds, so it is damaged; get or save it again"
        ) from error
    if done.returncode == _REFUSED:
        raise ModelError(done.stderr.decode("utf-8", "replace").strip())
    try:
        return _unpacked(done.stdout)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{name} made the HDF5 library fail (code {done.returncode}), so it is damaged; "
            "get or save it again"
        ) from error


def _packed(content: Content) -> bytes:
    tensors: dict[str, NDArray[np.float32]] = {}
    listed = []
    for number, layer in enumerate(content.layers):
        tensors |= {f"{number}/{role}": array for role, array in layer.weights.items()}
        listed.append((layer.name, layer.place, layer.kind, list(layer.weights)))
    about = {"form": content.form, "config": content.config, "version": content.version, "layers": listed}
    head = json.dumps(about).encode()
    return len(head).to_bytes(8, "little") + head + save(tensors)


def _unpacked(packed: bytes) -> Content:
    end = 8 + int.from_bytes(packed[:8], "little")
    about, tensors = json.loads(packed[8:end]), load(packed[end:])
    layers = tuple(
        KerasLayer(name, place, kind, {role: tensors[f"{number}/{role}"] for role in roles})
        for number, (name, place, kind, roles) in enumerate(about["layers"])
    )
    return Content(about["form"], layers, about["config"], about["version"])


def parse(content: bytes, name: str) -> Content:
    """Read the content of an HDF5 file in this process; arguments and errors are those of `read_hdf5`."""
    import h5py

    from mien.training.keras_import import hdf5

    try:
        # From memory: the digest is of these very bytes, and no driver opens other files.
        with h5py.File(io.BytesIO(content), "r") as file:
            if hdf5.is_older(file):
                config = hdf5.text_of(file, "model_config", name)
                version = hdf5.text_of(file, "keras_version", name)
                return Content("h5", hdf5.read_older(file, name), config, version)
            return Content("weights.h5", hdf5.read_newer(file, name), None, None)
    # h5py turns what the library says into errors of many kinds.
    except (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError) as error:
        raise _damaged(name, error) from error
    except (AssertionError, TypeError, ValueError) as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ModelError:
    why = " ".join(str(error).split())[:200]
    return ModelError(f"{name} is damaged HDF5 ({why}); get or save it again")


def _limit() -> None:
    """Let a file neither take all memory nor leave a picture of it on the disk, where the system can."""
    if sys.platform == "linux":
        import resource

        for kind, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CORE, 0)):
            hard = resource.getrlimit(kind)[1]
            soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (soft, hard))


def _main() -> int:
    _limit()
    try:
        packed = _packed(parse(sys.stdin.buffer.read(), sys.argv[1]))
    except ModelError as error:
        sys.stderr.buffer.write(str(error).encode("utf-8", "backslashreplace"))
        return _REFUSED
    sys.stdout.buffer.write(packed)
    return 0


if __name__ == "__main__":
    sys.exit(_main())

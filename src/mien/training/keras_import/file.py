"""A file that Keras wrote, as plain layers: what is in it is read with h5py, and nothing of it is run.

Three forms, told apart by their content and not by their name:

- the older HDF5 file: a whole model (`model.save("m.h5")`: group `model_weights`, attribute `model_config`)
  or its weights alone (`save_weights` of Keras 2), with attributes `layer_names` and `weight_names`;
- the newer HDF5 file of weights (`m.weights.h5`): `layers/<class>_<number>/vars/<number>`;
- the archive (`m.keras`): `config.json`, `metadata.json` and such a file of weights.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.core.errors import ModelError, ModelNotFoundError
from mien.core.files import reason, shown
from mien.training.keras_import._apart import read_hdf5
from mien.training.keras_import.layers import KerasLayer

MAX_FILE_BYTES = 512 * 2**20  # the largest reference network has 42 MB with the optimiser's state
MAX_JSON_BYTES = 16 * 2**20
MAX_MEMBERS = 1000

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_LFS = b"version https://git-lfs"


# zipfile knows many ways to say that an archive is damaged or needs what Keras never uses.
_BAD_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError),
    *(RuntimeError, ValueError, LookupError, OverflowError, MemoryError),
)


@dataclass(frozen=True, slots=True)
class KerasFile:
    """What a file of Keras holds.

    Attributes:
        form: "h5", "weights.h5" or "keras".
        layers: those with weights, in the order of the file, which need not be that of the model.
        config: what the model is made of, plain JSON, or None where the file has weights alone.
        version: of Keras, where the file says so.
        sha256: of the whole file.
    """

    form: str
    layers: tuple[KerasLayer, ...]
    config: Mapping[str, Any] | None
    version: str | None
    sha256: str


def read_keras_file(path: Path) -> KerasFile:
    """Read a model or its weights from a file that Keras wrote.

    Raises:
        ModelNotFoundError: there is no such file.
        ModelError: it is no such file, damaged, too large, or refers to other files.
        MissingExtraError: h5py is not installed.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith(_HDF5):
        return _read_hdf5(content, shown(path), digest)
    if content.startswith(_ZIP):
        return _read_archive(content, shown(path), digest)
    if content.startswith(_LFS):
        raise ModelError(
            f"{shown(path)} is a Git LFS pointer, not the model; get the file itself with `git lfs pull`"
        )
    raise ModelError(
        f"{shown(path)} is neither HDF5 (.h5) nor a Keras archive (.keras); "
        "give the file that model.save or model.save_weights wrote"
    )


def _content(path: Path) -> bytes:
    if path.is_dir():
        if (path / "saved_model.pb").exists() or (path / "keras_metadata.pb").exists():
            raise ModelError(
                f"{shown(path)} is a TensorFlow SavedModel; save it as one file where TensorFlow is "
                'installed: tf.keras.models.load_model("…").save("model.h5")'
            )
        raise ModelError(f"{shown(path)} is a folder; give the .h5 or .keras file in it")
    try:
        if not path.is_file():
            raise ModelNotFoundError(f"{shown(path)} does not exist or is not a file; check the path")
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            raise ModelError(
                f"{shown(path)} has {size / 2**20:.0f} MB and {MAX_FILE_BYTES // 2**20} MB is the limit; "
                "save the model without its optimizer (include_optimizer=False)"
            )
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise ModelError(f"{shown(path)} cannot be read: {why}") from error


def _read_archive(content: bytes, name: str, digest: str) -> KerasFile:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive, name)
            config = _json(_member(archive, "config.json", MAX_JSON_BYTES, name), name)
            about = _json(_member(archive, "metadata.json", MAX_JSON_BYTES, name), name)
            weights = _member(archive, "model.weights.h5", MAX_FILE_BYTES, name)
    except _BAD_ARCHIVE as error:
        raise ModelError(f"{name} is a damaged archive ({error}); get it again") from error
    if not weights.startswith(_HDF5):
        raise ModelError(f"model.weights.h5 in {name} is not HDF5; save the model again")
    inner = _read_hdf5(weights, f"model.weights.h5 in {name}", digest)
    return KerasFile("keras", inner.layers, config, _version(about.get("keras_version")), digest)


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    """Nothing is unpacked to the disk; an archive that tries to lead elsewhere is refused all the same."""
    members = archive.namelist()
    if len(members) > MAX_MEMBERS:
        raise ModelError(f"{name} holds {len(members)} files and {MAX_MEMBERS} is the limit; is it a model?")
    for member in members:
        parts = member.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise ModelError(f"{name} holds a file {member!r}, whose path leads out of it; do not trust it")
    for member in ("config.json", "metadata.json", "model.weights.h5"):
        if members.count(member) != 1:
            raise ModelError(
                f"{name} has {members.count(member)} files {member} and a Keras archive has one; "
                "give the file that model.save wrote"
            )


def _member(archive: zipfile.ZipFile, member: str, limit: int, name: str) -> bytes:
    with archive.open(member) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ModelError(f"{member} in {name} is larger than {limit // 2**20} MB unpacked; is it a model?")
    return content


def _json(content: bytes | str, name: str) -> Mapping[str, Any]:
    try:
        if len(content) > MAX_JSON_BYTES:
            raise ValueError(f"it is longer than {MAX_JSON_BYTES // 2**20} MB")
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the description of the model in {name} is not JSON: {error}") from error
    if not isinstance(data, Mapping):
        raise ModelError(f"the description of the model in {name} is a {type(data).__name__}, no JSON object")
    return data


def _read_hdf5(content: bytes, name: str, digest: str) -> KerasFile:
    found = read_hdf5(content, name)
    config = None if found.config is None else _json(found.config, name)
    return KerasFile(found.form, found.layers, config, _version(found.version), digest)


def _version(text: Any) -> str | None:
    """Return what a file says of its Keras, where that can be a version: it goes into cards and messages."""
    return text if isinstance(text, str) and re.fullmatch(r"[\w.+-]{1,40}", text, re.ASCII) else None
